"""The second half of a check, run if a gradient is off: a closer look, the layer at fault, the cause."""

from dataclasses import replace
from functools import partial
from typing import Any

from backprop.gradient_check import closer, kinks, single_precision, verdicts
from backprop.gradient_check.blind import misses
from backprop.gradient_check.check import check, target_of
from backprop.gradient_check.closer import Agreement
from backprop.gradient_check.comparison import MAX_LIMIT, Comparison
from backprop.gradient_check.culprit import culprits
from backprop.gradient_check.derivatives import ONE, entry
from backprop.gradient_check.diagnoses import SMALL
from backprop.gradient_check.entries import every_entry
from backprop.gradient_check.fast import compare
from backprop.gradient_check.layer_target import LastLayerTarget, LayerTarget
from backprop.gradient_check.locating import find
from backprop.gradient_check.report import ArrayCheck, GradientReport, Verdict

MAX_WRONG = 24  # wrong arrays after which no more are examined
NOT_EXAMINED = Verdict("cannot tell", f"not examined, because {MAX_WRONG} others are wrong: fix those first")


def checked_closely(
    comparison: Comparison, rows: dict[str, ArrayCheck | None], second: dict[str, Any], mode: str
) -> list[ArrayCheck]:
    """Return the row of every array.  rows: those of the fast check, None for arrays that disagree."""
    milder = verdicts.reshape_broadcasting(comparison.target.params, comparison.gradients, second)
    found: list[ArrayCheck] = []
    for name, row in rows.items():
        if row is None and sum(each.verdict == "wrong" for each in found) >= MAX_WRONG:
            found.append(ArrayCheck.without_numbers(name, comparison.array(name), NOT_EXAMINED))
        else:
            found.append(_row(comparison, name, row, second[name], mode))
    return [
        row.with_verdict(milder[row.name]) if row.verdict == "ok" and row.name in milder else row
        for row in found
    ]


def _row(comparison: Comparison, name: str, row: ArrayCheck | None, second: Any, mode: str) -> ArrayCheck:
    array, gradient = comparison.array(name), comparison.gradients[name]
    verdict = verdicts.why_not_comparable(comparison, name, gradient, array.shape)
    verdict = verdict or verdicts.repeated_backward(comparison, name, gradient, second)
    if verdict:
        return ArrayCheck.without_numbers(name, array, verdict)
    if mode == "fast":
        return row or _along_direction(comparison, name)
    along = compare(gradient, *comparison.slopes[name])
    agreement = (
        Agreement(along, row.limit, Verdict(row.verdict)) if row else closer.look_closer(comparison, name)
    )
    if agreement and agreement.verdict.kind in ("zero", "cannot tell"):  # single entries show no more
        return ArrayCheck.along(name, gradient, agreement.along, agreement.limit, agreement.verdict)
    return every_entry(comparison, name, agreement)


def _along_direction(comparison: Comparison, name: str) -> ArrayCheck:
    """Look closer along the direction and, if that disagrees, at a wrong entry."""
    agreement, gradient = closer.look_closer(comparison, name), comparison.gradients[name]
    if agreement:
        return ArrayCheck.along(name, gradient, agreement.along, agreement.limit, agreement.verdict)
    comparison = _by_precise_method(comparison, name)
    index = None if comparison.is_noisy(name) else find(comparison, name)
    if index is not None and comparison.is_off(name, index):
        at, derivative = float(gradient[tuple(index)]), comparison.at_entry(name, index)
        if not kinks.slopes_at_kink(comparison, name, index, at):
            return ArrayCheck.at(name, gradient, index, derivative, comparison.limit_of_entries(name))
        return every_entry(comparison, name, None)
    if kinks.is_kinked(comparison, name):
        return every_entry(comparison, name, None)
    # Many entries are slightly off, which the direction shows better than any one of them.
    along = compare(gradient, *comparison.slopes[name])
    limit = comparison.limit(along.size)
    if comparison.is_noisy(name):
        along, limit = single_precision.along(comparison, name)
    return ArrayCheck.along(name, gradient, along, limit, Verdict("wrong"))


def _by_precise_method(comparison: Comparison, name: str) -> Comparison:
    """Return the comparison by a method whose limit is small against the gradient, if there is one."""
    size = compare(comparison.gradients[name], *comparison.slopes[name]).size
    return comparison if comparison.limit(size) <= MAX_LIMIT * size else comparison.exact() or comparison


def complex_step_misses(comparison: Comparison, array: ArrayCheck) -> bool:
    """Return whether backward has a slope that central differences see and the complex step misses."""
    if comparison.method != "complex" or array.verdict != "wrong":
        return False
    size = float(abs(comparison.gradients[array.name]).max())
    if array.max_difference <= SMALL * size:  # too small for central differences alone
        region = ... if array.index is None else entry(array.index)
        direction = comparison.slopes[array.name][0] if array.index is None else ONE
        return misses(comparison, array.name, array.backward - array.numerical, direction, region)
    if array.index is None:
        return False
    central = comparison.by_central_differences()
    slope = central.at_entry(array.name, array.index)
    limit = central.limit(abs(slope))
    return abs(array.backward - slope) <= limit and abs(array.numerical - slope) > 10.0 * limit


def with_causes(comparison: Comparison, report: GradientReport) -> GradientReport:
    """Return the report with the layer at fault, if it is found, and the causes."""
    wrong = {array.name for array in report.arrays if array.verdict == "wrong"}
    causes, layer_verdicts = culprits(comparison, wrong, partial(_check_of_layer, comparison.target.rng))
    exact = comparison.exact() or comparison  # the finer method explains better
    arrays = [_explained(exact, array, causes) for array in report.arrays]
    return replace(report, arrays=arrays, faults=report.faults + layer_verdicts)


def _explained(comparison: Comparison, array: ArrayCheck, causes: dict[str, Verdict]) -> ArrayCheck:
    """Return a row with the cause of a wrong gradient: a layer of the network, or the array's own."""
    if array.verdict != "wrong":
        return array
    return array.with_verdict(causes.get(array.name) or verdicts.explain(comparison, array))


def _check_of_layer(rng: Any, layer: Any, inputs: tuple[Any, ...]) -> GradientReport:
    """Return the fast check of a layer of a network on the inputs that it gets there."""
    kind = LastLayerTarget if len(inputs) > 1 else LayerTarget
    return check(target_of(layer, inputs, rng, kind), "complex", "fast")
