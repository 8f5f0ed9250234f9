"""What is wrong with a layer or a gradient: a verdict, which a test of its own has confirmed."""

from collections.abc import Callable
from math import prod
from typing import Any

from backends import describe, owner_of
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import first_not_finite
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.subject import Run
from backprop.gradient_check.suspicions import (
    SMALL,
    SUSPICIONS,
    SUSPICIONS_OF_A_SMALL_GAP,
    along_batch,
    axes_text,
    differ,
    is_sum,
    subsets,
)

# ------------------------------------------------------------------------------------ of the layer as a whole


def of_writing(run: Run) -> list[Verdict]:
    """What forward and backward have changed of what is their caller's."""
    found = []
    for name in run.written:
        if name == "dout":
            why = "backward changes dout, which is its caller's; let it work on a copy"
            found.append(Verdict("writes into dout", why))
        else:
            why = f"forward or backward changes {name}, which is its caller's"
            found.append(Verdict("writes into its input", why))
    return found


def of_hidden_state(first: Run, second: Run) -> list[Verdict]:
    """Whether forward gave another output at the second time."""
    if first.out.shape == second.out.shape and not differ(first.out, second.out):
        return []
    why = (
        "forward gives another output for the same input at a second call: it depends on a hidden state "
        "or on randomness, which must be frozen for a check"
    )
    return [Verdict("hidden state", why)]


# ---------------------------------------------------------------------- of one array: what cannot be compared


def of_form(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> Verdict | None:
    """Why a gradient cannot be compared with that of an array of this shape."""
    if gradient is None:
        return Verdict("missing gradient", "backward leaves no gradient of it")
    if owner_of(gradient) is None or gradient.dtype.kind != "f":
        what = describe(gradient) if owner_of(gradient) is None else str(gradient.dtype)
        return Verdict("missing gradient", f"its gradient is no array of real numbers but {what}")
    got = gradient.shape
    if got != shape:
        cause = _cause_of_shape(comparison, name, gradient, shape)
        return Verdict("wrong shape", f"its gradient must have its shape, {shape}, got {got}{cause}")
    at = first_not_finite(gradient)
    if at is not None:
        return Verdict("not finite", f"its gradient is {float(gradient[tuple(at)])} at {at}")
    _, slope = comparison.slopes[name]
    if not abs(slope) < float("inf"):
        return Verdict("not finite", f"the derivative of forward is {slope} along a random direction")
    return None


def _cause_of_shape(comparison: Comparison, name: str, gradient: Any, shape: tuple[int, ...]) -> str:
    """What makes a gradient of another shape right, where something does."""
    if 0 in gradient.shape or first_not_finite(gradient) is not None:
        return ""
    if gradient.T.shape == shape and comparison.agrees(name, gradient.T):
        return ": it is right when transposed"
    if gradient.size == prod(shape) and comparison.agrees(name, gradient.reshape(shape)):
        return ": its values are right when reshaped"
    for axes in subsets(len(gradient.shape)):
        summed = gradient.sum(axis=axes)
        if summed.shape == shape and comparison.agrees(name, summed):
            return f": a sum over {axes_text(axes)} is missing"
    for axes in subsets(len(shape)):
        kept = [1 if i in axes else n for i, n in enumerate(shape)]
        if gradient.size == prod(kept) and is_sum(comparison, name, gradient.reshape(kept), shape):
            return f": it is summed over {axes_text(axes)}"
    why = "" if name in comparison.subject.input_names else _confirmed(along_batch, comparison, name)
    return why and f": {why}"


# ----------------------------------------------------------------------------- of one array: what is off, why


def explain(comparison: Comparison, name: str) -> Verdict:
    """The verdict on a gradient that disagrees with the derivative."""
    direction, slope = comparison.slopes[name]
    gap, limit = comparison.gap(comparison.gradients[name], direction, slope)
    is_small = gap <= SMALL * float(((comparison.gradients[name] * direction) ** 2).sum()) ** 0.5
    for kind, test in (SUSPICIONS_OF_A_SMALL_GAP if is_small else SUSPICIONS).items():
        why = _confirmed(test, comparison, name)
        if why and (gap > 100.0 * limit or kind != "wrong axis"):
            return Verdict(kind, why)
    return Verdict("wrong")


def _confirmed(test: Callable[[Comparison, str], str], comparison: Comparison, name: str) -> str:
    """What a test says, which is nothing where it cannot be made."""
    try:
        return test(comparison, name)
    except Exception:  # an object need not take the inputs that a test tries: then it confirms nothing
        return ""


def of_second_run(comparison: Comparison, name: str, first: Any, second: Any) -> Verdict | None:
    """Whether a second backward gave another gradient, and whether it added to the first."""
    if not hasattr(second, "shape") or first.shape != second.shape or not differ(first, second):
        return None
    if comparison.agrees(name, second - first):
        why = "a second backward adds the gradient to the first; set it, or clear it before"
        return Verdict("accumulated", why)
    return Verdict("hidden state", "a second backward of the same input gives another gradient")
