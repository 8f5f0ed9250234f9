"""A closer look at a gradient that is off along its direction, or whose limit there tells nothing."""

from typing import NamedTuple

from backprop.gradient_check import kinks, single_precision
from backprop.gradient_check.comparison import LIMITS, TELLING, Comparison
from backprop.gradient_check.derivatives import LAST_DIGIT
from backprop.gradient_check.fast import Along, compare
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.rounding import DOUBLE, SINGLE, Precision, response, rounding, steepness
from backprop.gradient_check.single_precision import aligned
from backprop.numerical.gradient import H_CENTRAL, H_COMPLEX

UNDERFLOW = 2.0**-1022 / H_COMPLEX  # what is left of a derivative whose step was too small for a number
MOST = 1e-10  # relative: a larger difference is more than rounding errors
OK, ZERO = Verdict("ok"), Verdict("zero")
CURES = {
    DOUBLE: "scale its output up, or let it take complex numbers",
    SINGLE: "let it compute in float64, as its arrays are here",
}


class Seen(NamedTuple):
    """What can be seen of a gradient that is not wrong, and within which limit."""

    along: Along
    limit: float
    verdict: Verdict = OK


def look_closer(comparison: Comparison, name: str) -> Seen | None:
    """Return what the best method sees along the direction of an array, or None if the gradient is wrong."""
    best = comparison.exact() or comparison
    seen = _by_complex_step(best, name) if best.method == "complex" else _by_differences(best, name)
    return seen or _in_single_precision(comparison, name)


def _by_complex_step(comparison: Comparison, name: str) -> Seen | None:
    """Rounding may explain the difference, or all of the gradient."""
    direction, slope = comparison.slopes[name]
    along = compare(comparison.gradients[name], direction, slope)
    gap, limit = abs(along.backward - along.derivative), comparison.limit(along.size)
    if gap > MOST * max(1.0, along.size, steepness(comparison, name)):
        return None  # without measuring what rounding explains, which takes long
    if not along.agrees():
        comparison.roundings[name] = float(rounding(comparison, name, direction)) + UNDERFLOW
        limit += comparison.roundings[name]
    if not gap <= limit < float("inf"):
        return None
    is_rounding = max(along.size, abs(along.derivative)) <= 4.0 * limit
    return Seen(along, limit, ZERO if is_rounding else OK)


def _by_differences(comparison: Comparison, name: str) -> Seen | None:
    """Another step may do, for a function that bends much within it or whose values scatter by more."""
    if comparison.is_noisy(name):
        return None
    direction, _ = comparison.slopes[name]
    seen = None
    for stretch in (1.0, 10.0, 0.1, 0.01):
        h = stretch * H_CENTRAL
        left, right = comparison.values(name, direction, [-h, h])
        slope = (right - left) / (2.0 * h)
        along = compare(comparison.gradients[name], direction, slope)
        scattered = max(comparison.noise(name)[0], 0.25 * LAST_DIGIT * max(abs(left), abs(right)))
        limit = LIMITS["central"] * along.size + 4.0 * scattered / h
        if abs(along.backward - slope) <= limit <= TELLING * along.size:
            return Seen(along, limit)
        if abs(along.backward - slope) <= limit < float("inf"):
            seen = seen or Seen(along, limit)
    return seen and _told(comparison, name, seen, DOUBLE)


def _in_single_precision(comparison: Comparison, name: str) -> Seen | None:
    """A layer may compute in float32 inside."""
    why = single_precision.evidence(comparison, name)
    if not why:
        return None
    along, limit = single_precision.along(comparison, name)
    if not abs(along.backward - along.derivative) <= limit < float("inf"):
        return None
    if limit <= TELLING * along.size:
        return Seen(along, limit, Verdict("ok to single precision", why))
    if kinks.is_kinked(comparison, name):  # every entry shows more
        return None
    return _told(comparison, name, Seen(along, limit), SINGLE)


def _told(comparison: Comparison, name: str, seen: Seen, precision: Precision) -> Seen:
    """Return what a limit tells that is not small against the gradient: zero on both sides, or nothing.

    It is zero if backward has only rounding errors and forward either does not respond at all or would show
    a slope as steep as its response to wider moves.
    """
    size, limit, natural = seen.along.size, seen.limit, response(comparison, name)
    scattered, of_values = comparison.noise(name)
    would_show = natural <= 8.0 * max(scattered, LAST_DIGIT * of_values) or limit <= TELLING * natural
    if would_show and size <= float(rounding(comparison, name, aligned(comparison, name), precision)):
        return seen._replace(verdict=ZERO)
    why = f"the gradient is about {size:.1e}, and the values of forward show no less than {limit:.1e}"
    return seen._replace(verdict=Verdict("cannot tell", f"{why}; {CURES[precision]}"))
