"""A closer look at a gradient that disagrees along its direction, or whose limit there is too large."""

from typing import NamedTuple

from backprop.gradient_check import kinks, single_precision
from backprop.gradient_check.comparison import LIMITS, MAX_LIMIT, Comparison
from backprop.gradient_check.derivatives import LAST_DIGIT
from backprop.gradient_check.fast import Along, compare
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.rounding import DOUBLE, SINGLE, Precision, response, rounding, steepness
from backprop.gradient_check.single_precision import aligned
from backprop.numerical.gradient import H_CENTRAL, H_COMPLEX

UNDERFLOW = 2.0**-1022 / H_COMPLEX  # times the step, a smaller derivative underflows
MAX_ROUNDING = 1e-10  # relative: a larger difference is not rounding
OK, ZERO = Verdict("ok"), Verdict("zero")
CURES = {
    DOUBLE: "scale its output up, or make it accept complex numbers",
    SINGLE: "make it compute in float64, the dtype of its arrays here",
}


class Agreement(NamedTuple):
    """The comparison of a gradient that is not wrong, with the limit that was allowed."""

    along: Along
    limit: float
    verdict: Verdict = OK


def look_closer(comparison: Comparison, name: str) -> Agreement | None:
    """Return the comparison by the best method along an array's direction, or None if it is wrong."""
    best = comparison.exact() or comparison
    agreement = _by_complex_step(best, name) if best.method == "complex" else _by_differences(best, name)
    return agreement or _in_single_precision(comparison, name)


def _by_complex_step(comparison: Comparison, name: str) -> Agreement | None:
    """Return the comparison by the complex step if rounding explains the difference, else None."""
    direction, slope = comparison.slopes[name]
    along = compare(comparison.gradients[name], direction, slope)
    gap, limit = abs(along.backward - along.derivative), comparison.limit(along.size)
    if gap > MAX_ROUNDING * max(1.0, along.size, steepness(comparison, name)):
        return None  # measuring the effect of rounding would take long
    if not along.agrees():
        comparison.roundings[name] = float(rounding(comparison, name, direction)) + UNDERFLOW
        limit += comparison.roundings[name]
    if not gap <= limit < float("inf"):
        return None
    is_rounding = max(along.size, abs(along.derivative)) <= 4.0 * limit
    return Agreement(along, limit, ZERO if is_rounding else OK)


def _by_differences(comparison: Comparison, name: str) -> Agreement | None:
    """Return the comparison by central differences with a step that suits the curvature and the noise."""
    if comparison.is_noisy(name):
        return None
    direction, _ = comparison.slopes[name]
    agreement = None
    for stretch in (1.0, 10.0, 0.1, 0.01):
        h = stretch * H_CENTRAL
        left, right = comparison.values(name, direction, [-h, h])
        slope = (right - left) / (2.0 * h)
        along = compare(comparison.gradients[name], direction, slope)
        scattered = max(comparison.noise(name)[0], 0.25 * LAST_DIGIT * max(abs(left), abs(right)))
        limit = LIMITS["central"] * along.size + 4.0 * scattered / h
        if abs(along.backward - slope) <= limit <= MAX_LIMIT * along.size:
            return Agreement(along, limit)
        if abs(along.backward - slope) <= limit < float("inf"):
            agreement = agreement or Agreement(along, limit)
    return agreement and _zero_or_unknown(comparison, name, agreement, DOUBLE)


def _in_single_precision(comparison: Comparison, name: str) -> Agreement | None:
    """Return the comparison for a layer that computes in float32 inside, else None."""
    why = single_precision.evidence(comparison, name)
    if not why:
        return None
    along, limit = single_precision.along(comparison, name)
    if not abs(along.backward - along.derivative) <= limit < float("inf"):
        return None
    if limit <= MAX_LIMIT * along.size:
        return Agreement(along, limit, Verdict("ok to single precision", why))
    if kinks.is_kinked(comparison, name):  # single entries show more
        return None
    return _zero_or_unknown(comparison, name, Agreement(along, limit), SINGLE)


def _zero_or_unknown(
    comparison: Comparison, name: str, agreement: Agreement, precision: Precision
) -> Agreement:
    """Return "zero" or "cannot tell" for a gradient that is not large against its limit.

    It is zero if backward is only rounding error, and forward either does not respond at all or would show a
    slope as steep as its response to larger steps.
    """
    size, limit, natural = agreement.along.size, agreement.limit, response(comparison, name)
    scattered, of_values = comparison.noise(name)
    would_show = natural <= 8.0 * max(scattered, LAST_DIGIT * of_values) or limit <= MAX_LIMIT * natural
    if would_show and size <= float(rounding(comparison, name, aligned(comparison, name), precision)):
        return agreement._replace(verdict=ZERO)
    why = f"the gradient is about {size:.1e}, but rounding in forward hides anything below {limit:.1e}"
    return agreement._replace(verdict=Verdict("cannot tell", f"{why}; {CURES[precision]}"))
