"""Verdicts on a layer or a gradient, each confirmed by a separate test."""

import warnings
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from backends import describe, owner_of
from backprop.arrays.entering import first_not_finite
from backprop.gradient_check import diagnoses
from backprop.gradient_check.causes.axes import along_batch, choices_of_axes
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import component, differ
from backprop.gradient_check.report import ArrayCheck, Verdict
from backprop.gradient_check.target import Run

# ------------------------------------------------------------------------------------ of the layer as a whole

HIDDEN_STATE = Verdict(
    "hidden state",
    "a second forward on the same input returns a different output: it depends on hidden state or on "
    "randomness, which must be frozen for the check",
)


def in_place_writes(run: Run) -> list[Verdict]:
    """Return a verdict for each array that forward or backward modified in place."""
    found = []
    for name in run.written:
        what = "writes into dout" if name == "dout" else "writes into its input"
        who = "backward" if name == "dout" else "forward or backward"
        whose = ", which belongs to the caller" if name == "dout" else ""
        found.append(Verdict(what, f"{who} modifies {name} in place{whose}; work on a copy"))
    return found


# ---------------------------------------------------------------------- of one array: what cannot be compared


def reshape_broadcasting(
    params: Mapping[str, Any], gradients: dict[str, Any], second: dict[str, Any]
) -> dict[str, Verdict]:
    """Reshape gradients that broadcast to their parameter, (D,) to (1, D), say; return a verdict for each.

    gradients, second: those of two runs, changed in place. Adding such a gradient broadcasts to the right
    result, so it is compared as if it had the right shape.
    """
    found = {}
    for name, param in params.items():
        shape = tuple(param.shape)
        got = getattr(gradients[name], "shape", shape)
        if got != shape and shape == (1,) * (len(shape) - len(got)) + got:
            why = f"the gradient has shape {got}, the parameter {shape}; an update broadcasts"
            found[name] = Verdict("ok, other shape", why)
            for each in (gradients, second):
                if getattr(each[name], "shape", shape) == got:
                    each[name] = each[name].reshape(shape)
    return found


def why_not_comparable(
    comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]
) -> Verdict | None:
    """Return why a gradient cannot be compared with that of an array of this shape, or None if it can."""
    if isinstance(gradient, Verdict):  # there was none to pick
        return gradient
    if gradient is None:
        is_input = name in comparison.target.input_names
        how = "returns no gradient for it" if is_input else "stores no gradient for it"
        return Verdict("missing gradient", f"backward {how}; if it needs none, pass constants=[{name!r}]")
    if owner_of(gradient) is None or gradient.dtype.kind != "f":
        what = describe(gradient) if owner_of(gradient) is None else gradient.dtype
        return Verdict("missing gradient", f"its gradient must be an array of real numbers, got {what}")
    got = gradient.shape
    if got != shape:
        cause = _cause_of_shape(comparison, name, gradient, shape)
        why = f"its gradient must have the array's shape, {shape}, got {got}"
        return Verdict("wrong shape", f"{why}: {cause}" if cause else why)
    if found := first_not_finite(gradient):
        return Verdict("not finite", f"its gradient is {found}")
    _, slope = comparison.slopes[name]
    if not abs(slope) < float("inf"):
        return Verdict("not finite", f"the derivative of forward is {slope} along a random direction")
    return None


def _cause_of_shape(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> str:
    """Return the operation that makes a gradient of another shape right, or "" if there is none."""
    if 0 in gradient.shape or first_not_finite(gradient):
        return ""
    if gradient.T.shape == shape and comparison.agrees(name, gradient.T):
        return "it is right when transposed"
    if gradient.size == prod(shape) and comparison.agrees(name, gradient.reshape(shape)):
        return "its values are right when reshaped"
    for axes, words in choices_of_axes(len(gradient.shape)):
        summed = gradient.sum(axis=axes)
        if summed.size == prod(shape) and comparison.agrees(name, summed.reshape(shape)):
            return f"a sum over {words} is missing"
    for axes, words in choices_of_axes(len(shape)):
        kept = [1 if i in axes else n for i, n in enumerate(shape)]
        if gradient.size == prod(kept) and comparison.agrees(name, gradient.reshape(kept)):
            return f"it is summed over {words}, but must not be"
    is_input = name in comparison.target.input_names
    return "" if is_input else _confirmed(along_batch, comparison, name)


# ----------------------------------------------------------------------------- of one array: what is off, why


def explain(comparison: Comparison, row: ArrayCheck) -> Verdict:
    """Return the verdict on a gradient that disagrees with the derivative.  row: of its array."""
    name = row.name
    gradient, (direction, slope) = comparison.gradients[name], comparison.slopes[name]
    if _others_agree(comparison, row):
        return Verdict("wrong")
    gap, limit = comparison.gap(gradient, direction, slope)
    is_small = gap <= diagnoses.SMALL * component(gradient, direction)[1]
    for kind, test in (diagnoses.TESTS_OF_SMALL_GAPS if is_small else diagnoses.TESTS).items():
        why = _confirmed(test, comparison, name)
        if why and (gap > 100.0 * limit or kind != "wrong axis"):
            return Verdict(kind, why)
    return Verdict("wrong")


def _others_agree(comparison: Comparison, row: ArrayCheck) -> bool:
    """Return whether only the entry that a row shows is wrong: no known cause does that."""
    if row.index is None:
        return False
    direction, slope = comparison.slopes[row.name]
    others, at = comparison.gradients[row.name].copy(), tuple(row.index)
    others[at] = 0.0
    gap, limit = comparison.gap(others, direction, slope - row.numerical * float(direction[at]))
    return component(others, direction)[1] > 0.0 and gap <= 10.0 * limit


def _confirmed(test: Callable[[Comparison, str], str], comparison: Comparison, name: str) -> str:
    """Return the explanation from a test, or "" if the test raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a test may try log of a negative x
            return test(comparison, name)
    except Exception:  # an object may not accept the inputs that a test tries
        return ""


def repeated_backward(comparison: Comparison, name: str, first: Any, second: Any) -> Verdict | None:
    """Return a verdict if a second backward gave another gradient or added to the first, else None."""
    if not hasattr(second, "shape") or first.shape != second.shape or not differ(first, second):
        return None
    if not differ(second - first, first) or comparison.agrees(name, second - first):
        why = "a second backward adds to the first gradient; assign it, or clear it before each backward"
        return Verdict("accumulated", why)
    return Verdict("hidden state", "a second backward on the same input returns a different gradient")
