"""Verdicts on a layer or a gradient, each confirmed by a separate test."""

from collections.abc import Callable
from math import prod
from typing import Any

from backends import describe, owner_of
from backprop.arrays.checks import first_not_finite
from backprop.gradient_check import diagnoses
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import component, differ
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.target import Run

# ------------------------------------------------------------------------------------ of the layer as a whole


def of_writing(run: Run) -> list[Verdict]:
    """Inputs that forward or backward modified in place."""
    found = []
    for name in run.written:
        what = "writes into dout" if name == "dout" else "writes into its input"
        who, cure = ("backward", "; let it work on a copy") if name == "dout" else ("forward or backward", "")
        found.append(Verdict(what, f"{who} changes {name}, which is its caller's{cure}"))
    return found


def of_hidden_state(first: Run, second: Run) -> list[Verdict]:
    """A verdict if forward gave another output the second time."""
    if first.out.shape == second.out.shape and not differ(first.out, second.out):
        return []
    why = (
        "forward gives another output for the same input at a second call: it depends on a hidden state "
        "or on randomness, which must be frozen for a check"
    )
    return [Verdict("hidden state", why)]


# ---------------------------------------------------------------------- of one array: what cannot be compared


def of_form(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> Verdict | None:
    """Return why a gradient cannot be compared with that of an array of this shape, or None if it can."""
    if gradient is None:
        return Verdict("missing gradient", "backward leaves no gradient of it")
    if owner_of(gradient) is None or gradient.dtype.kind != "f":
        what = describe(gradient) if owner_of(gradient) is None else gradient.dtype
        return Verdict("missing gradient", f"its gradient is no array of real numbers but {what}")
    got = gradient.shape
    if got != shape:
        cause = _cause_of_shape(comparison, name, gradient, shape)
        return Verdict("wrong shape", f"its gradient must have its shape, {shape}, got {got}{cause}")
    if found := first_not_finite(gradient):
        return Verdict("not finite", f"its gradient is {found}")
    _, slope = comparison.slopes[name]
    if not abs(slope) < float("inf"):
        return Verdict("not finite", f"the derivative of forward is {slope} along a random direction")
    return None


def _cause_of_shape(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> str:
    """Return what makes a gradient of another shape right, or "" if nothing does."""
    if 0 in gradient.shape or first_not_finite(gradient):
        return ""
    if gradient.T.shape == shape and comparison.agrees(name, gradient.T):
        return ": it is right when transposed"
    if gradient.size == prod(shape) and comparison.agrees(name, gradient.reshape(shape)):
        return ": its values are right when reshaped"
    for axes, words in diagnoses.choices_of_axes(len(gradient.shape)):
        summed = gradient.sum(axis=axes)
        if summed.shape == shape and comparison.agrees(name, summed):
            return f": a sum over {words} is missing"
    for axes, words in diagnoses.choices_of_axes(len(shape)):
        kept = [1 if i in axes else n for i, n in enumerate(shape)]
        if gradient.size == prod(kept) and comparison.agrees(name, gradient.reshape(kept)):
            return f": it is summed over {words}"
    is_input = name in comparison.target.input_names
    why = "" if is_input else _confirmed(diagnoses.along_batch, comparison, name)
    return why and f": {why}"


# ----------------------------------------------------------------------------- of one array: what is off, why


def explain(comparison: Comparison, name: str) -> Verdict:
    """Return the verdict on a gradient that disagrees with the derivative."""
    gradient, (direction, slope) = comparison.gradients[name], comparison.slopes[name]
    gap, limit = comparison.gap(gradient, direction, slope)
    is_small = gap <= diagnoses.SMALL * component(gradient, direction)[1]
    for kind, test in (diagnoses.OF_A_SMALL_GAP if is_small else diagnoses.OF_ANY_GAP).items():
        why = _confirmed(test, comparison, name)
        if why and (gap > 100.0 * limit or kind != "wrong axis"):
            return Verdict(kind, why)
    return Verdict("wrong")


def _confirmed(test: Callable[[Comparison, str], str], comparison: Comparison, name: str) -> str:
    """Return the explanation from a test, or "" if the test raises."""
    try:
        return test(comparison, name)
    except Exception:  # an object may not accept the inputs that a test tries
        return ""


def of_second_run(comparison: Comparison, name: str, first: Any, second: Any) -> Verdict | None:
    """Return a verdict if a second backward gave another gradient or added to the first, else None."""
    if not hasattr(second, "shape") or first.shape != second.shape or not differ(first, second):
        return None
    if comparison.agrees(name, second - first):
        why = "a second backward adds the gradient to the first; set it, or clear it before"
        return Verdict("accumulated", why)
    return Verdict("hidden state", "a second backward of the same input gives another gradient")
