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
    "forward gives another output for the same input at a second call: it depends on a hidden state "
    "or on randomness, which must be frozen for a check",
)


def of_writing(run: Run) -> list[Verdict]:
    """Inputs that forward or backward modified in place."""
    found = []
    for name in run.written:
        what = "writes into dout" if name == "dout" else "writes into its input"
        who, cure = ("backward", "; let it work on a copy") if name == "dout" else ("forward or backward", "")
        found.append(Verdict(what, f"{who} changes {name}, which is its caller's{cure}"))
    return found


# ---------------------------------------------------------------------- of one array: what cannot be compared


def of_other_shape(
    params: Mapping[str, Any], gradients: dict[str, Any], second: dict[str, Any]
) -> dict[str, Verdict]:
    """Give gradients of shape (D,), say, of parameters of shape (1, D) that shape; return what to say of it.

    gradients, second: of two runs.  Such a gradient does what one of the right shape does wherever it is
    added, so it is compared as if it were that.
    """
    found = {}
    for name, param in params.items():
        shape = tuple(param.shape)
        got = getattr(gradients[name], "shape", shape)
        if got != shape and shape == (1,) * (len(shape) - len(got)) + got:
            why = f"the gradient has shape {got}, the parameter {shape}; broadcasting forgives it"
            found[name] = Verdict("ok, other shape", why)
            for each in (gradients, second):
                if getattr(each[name], "shape", shape) == got:
                    each[name] = each[name].reshape(shape)
    return found


def of_form(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> Verdict | None:
    """Return why a gradient cannot be compared with that of an array of this shape, or None if it can."""
    if isinstance(gradient, Verdict):  # it is not known which array it is
        return gradient
    if gradient is None:
        is_input = name in comparison.target.input_names
        how = "returns no gradient of it" if is_input else "leaves no gradient of it"
        return Verdict("missing gradient", f"backward {how}; if none is needed, constants=[{name!r}]")
    if owner_of(gradient) is None or gradient.dtype.kind != "f":
        what = describe(gradient) if owner_of(gradient) is None else gradient.dtype
        return Verdict("missing gradient", f"its gradient is no array of real numbers but {what}")
    got = gradient.shape
    if got != shape:
        cause = _cause_of_shape(comparison, name, gradient, shape)
        why = f"its gradient must have its shape, {shape}, got {got}"
        return Verdict("wrong shape", f"{why}: {cause}" if cause else why)
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
            return f"it is summed over {words}"
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
    for kind, test in (diagnoses.OF_A_SMALL_GAP if is_small else diagnoses.OF_ANY_GAP).items():
        why = _confirmed(test, comparison, name)
        if why and (gap > 100.0 * limit or kind != "wrong axis"):
            return Verdict(kind, why)
    return Verdict("wrong")


def _others_agree(comparison: Comparison, row: ArrayCheck) -> bool:
    """Return whether all entries but the one that a row shows are right, which no known cause leaves."""
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
            warnings.simplefilter("ignore", RuntimeWarning)  # as of the logarithm of an x that a test tries
            return test(comparison, name)
    except Exception:  # an object may not accept the inputs that a test tries
        return ""


def of_second_run(comparison: Comparison, name: str, first: Any, second: Any) -> Verdict | None:
    """Return a verdict if a second backward gave another gradient or added to the first, else None."""
    if not hasattr(second, "shape") or first.shape != second.shape or not differ(first, second):
        return None
    if not differ(second - first, first) or comparison.agrees(name, second - first):
        why = "a second backward adds the gradient to the first; set it, or clear it before"
        return Verdict("accumulated", why)
    return Verdict("hidden state", "a second backward of the same input gives another gradient")
