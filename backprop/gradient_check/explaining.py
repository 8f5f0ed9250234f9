"""What a check does where something is off: a closer look, and who is at fault and why."""

from dataclasses import replace
from functools import partial
from typing import Any

from backprop.gradient_check import closer, kinks, single_precision, verdicts
from backprop.gradient_check.blind import misses
from backprop.gradient_check.check import check, target_of
from backprop.gradient_check.closer import Seen
from backprop.gradient_check.comparison import TELLING, Comparison
from backprop.gradient_check.culprit import culprits
from backprop.gradient_check.derivatives import ONE, entry
from backprop.gradient_check.diagnoses import SMALL
from backprop.gradient_check.entries import every_entry
from backprop.gradient_check.fast import compare
from backprop.gradient_check.layer_target import LastLayerTarget, LayerTarget
from backprop.gradient_check.locating import find
from backprop.gradient_check.report import ArrayCheck, GradientReport, Verdict

MANY = 24  # so many wrong arrays are enough to look at
MENDED_LATER = Verdict("cannot tell", f"not looked at, since {MANY} others are wrong: mend these first")


def checked_closely(
    comparison: Comparison, rows: dict[str, ArrayCheck | None], second: dict[str, Any], mode: str
) -> list[ArrayCheck]:
    """Return every array's row.  rows: what the fast check saw, None where it disagrees."""
    milder = verdicts.of_other_shape(comparison.target.params, comparison.gradients, second)
    found: list[ArrayCheck] = []
    for name, row in rows.items():
        if row is None and sum(each.verdict == "wrong" for each in found) >= MANY:
            found.append(ArrayCheck.without_numbers(name, comparison.array(name), MENDED_LATER))
        else:
            found.append(_row(comparison, name, row, second[name], mode))
    return [
        row.with_verdict(milder[row.name]) if row.verdict == "ok" and row.name in milder else row
        for row in found
    ]


def _row(comparison: Comparison, name: str, row: ArrayCheck | None, second: Any, mode: str) -> ArrayCheck:
    array, gradient = comparison.array(name), comparison.gradients[name]
    verdict = verdicts.of_form(comparison, name, gradient, array.shape)
    verdict = verdict or verdicts.of_second_run(comparison, name, gradient, second)
    if verdict:
        return ArrayCheck.without_numbers(name, array, verdict)
    if mode == "fast":
        return row or _along_direction(comparison, name)
    along = compare(gradient, *comparison.slopes[name])
    seen = Seen(along, row.limit, Verdict(row.verdict)) if row else closer.look_closer(comparison, name)
    if seen and seen.verdict.kind in ("zero", "cannot tell"):  # entries show no more
        return ArrayCheck.along(name, gradient, seen.along, seen.limit, seen.verdict)
    return every_entry(comparison, name, seen)


def _along_direction(comparison: Comparison, name: str) -> ArrayCheck:
    """Look closer along the direction and, if that disagrees, at an entry at fault."""
    seen, gradient = closer.look_closer(comparison, name), comparison.gradients[name]
    if seen:
        return ArrayCheck.along(name, gradient, seen.along, seen.limit, seen.verdict)
    comparison = _telling(comparison, name)
    index = None if comparison.is_noisy(name) else find(comparison, name)
    if index is not None and comparison.is_off(name, index):
        at, derivative = float(gradient[tuple(index)]), comparison.at_entry(name, index)
        if not kinks.slopes_at_kink(comparison, name, index, at):
            return ArrayCheck.at(name, gradient, index, derivative, comparison.limit_of_entries(name))
        return every_entry(comparison, name, None)
    if kinks.is_kinked(comparison, name):
        return every_entry(comparison, name, None)
    # Many are slightly off: the direction shows it better.
    along = compare(gradient, *comparison.slopes[name])
    limit = comparison.limit(along.size)
    if comparison.is_noisy(name):
        along, limit = single_precision.along(comparison, name)
    return ArrayCheck.along(name, gradient, along, limit, Verdict("wrong"))


def _telling(comparison: Comparison, name: str) -> Comparison:
    """Return the comparison by a method whose limit is small against the gradient, where there is one."""
    size = compare(comparison.gradients[name], *comparison.slopes[name]).size
    return comparison if comparison.limit(size) <= TELLING * size else comparison.exact() or comparison


def sees_less(comparison: Comparison, array: ArrayCheck) -> bool:
    """Return whether backward has what central differences see and the complex step does not."""
    if comparison.method != "complex" or array.verdict != "wrong":
        return False
    size = float(abs(comparison.gradients[array.name]).max())
    if array.max_difference <= SMALL * size:  # too little for central differences by themselves
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
    """Return the report with the layer at fault, where it can be found, and the causes."""
    wrong = {array.name for array in report.arrays if array.verdict == "wrong"}
    causes, of_layers = culprits(comparison, wrong, partial(_of_layer, comparison.target.rng))
    exact = comparison.exact() or comparison  # the finer method explains better
    arrays = [_explained(exact, array, causes) for array in report.arrays]
    return replace(report, arrays=arrays, faults=report.faults + of_layers)


def _explained(comparison: Comparison, array: ArrayCheck, causes: dict[str, Verdict]) -> ArrayCheck:
    """Return a row with the cause of a wrong gradient: a layer of the network, or its own."""
    if array.verdict != "wrong":
        return array
    return array.with_verdict(causes.get(array.name) or verdicts.explain(comparison, array))


def _of_layer(rng: Any, layer: Any, inputs: tuple[Any, ...]) -> GradientReport:
    """Return the fast check of a layer of a network with its inputs there."""
    kind = LastLayerTarget if len(inputs) > 1 else LayerTarget
    return check(target_of(layer, inputs, rng, kind), "complex", "fast")
