"""The verdict on each target, or the reason why it was not measured."""

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from benchmarks.gpu_report.processes import DONE, Ending
from benchmarks.gpu_report.rows import Rows, found
from benchmarks.gpu_report.targets import Target

MET, MISSED, DISAGREES, REHEARSED = "met", "MISSED", "DISAGREES", "rehearsal"
NOT_MEASURED, FAULT = "not measured", "FAULT"  # FAULT: it could not be judged
NOT_ASKED = "was not asked for"
MISSING = {"pytorch": "PyTorch", "jax": "JAX", "race-pytorch": "PyTorch", "race-jax": "JAX"}


class Line(NamedTuple):
    """A line of the table of targets.

    rounds: the value of each round.  measured: the value that is judged.
    reason: why nothing was measured, or None.
    """

    what: str
    wanted: str
    measured: float | None
    rounds: list[float]
    verdict: str
    reason: str | None = None


def judge_all(
    targets: Iterable[Target], rows: Rows, endings: dict[str, Ending], rehearsal: bool
) -> list[Line]:
    """Judge all targets. A target with malformed rows is a FAULT and does not affect the others."""
    lines = []
    for target in targets:
        try:
            lines.append(judge(target, rows, endings, rehearsal))
        except Exception as error:  # rows come from other processes
            reason = f"{type(error).__name__}: {error}"
            lines.append(Line(target.what, target.wanted, None, [], FAULT, reason))
    return lines


def judge(target: Target, rows: Rows, endings: dict[str, Ending], rehearsal: bool) -> Line:
    values = target.values(rows)
    if not values:
        reason = why_not(target, rows, endings)
        return Line(target.what, target.wanted, None, [], NOT_MEASURED, reason)
    # A target of agreement has to hold in every round; NaN counts as the worst.
    measured = max(values, key=lambda value: (value != value, value)) if target.holds else median(values)
    if rehearsal and not target.holds:
        verdict = REHEARSED  # whatever its value, it was not measured on a GPU
    elif target.is_met(measured):
        verdict = MET
    else:
        verdict = DISAGREES if target.holds else MISSED
    return Line(target.what, target.wanted, measured, values, verdict)


def why_not(target: Target, rows: Rows, endings: dict[str, Ending]) -> str:
    """Return the reason why the first row that a target needs is missing."""
    errors = {(row["group"], row["name"]): row["reason"] for row in found(rows, "error")}
    for group, name in target.needs:
        if any(row["group"] == group and row["name"] == name and _is_a_result(row) for row in rows):
            continue
        if (group, name) in errors:
            return f"{name}: {errors[group, name]}"
        for row in found(rows, "missing", MISSING.get(group, "")):
            return row["reason"]
        if group not in endings:
            return f"the group {group} {NOT_ASKED}"
        if endings[group].how != DONE:
            return f"the group {group}: {endings[group].how}"
        return f"{name} wrote no figure"
    return "its rows have no figure in common"


def _is_a_result(row: dict[str, object]) -> bool:
    return row["what"] not in ("error", "missing", "warm-up")
