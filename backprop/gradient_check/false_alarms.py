"""Differences that are not errors: rounding, kinks, and steps too long or too short."""

from typing import Any

from backends import to_numpy
from backprop.gradient_check.comparison import LIMITS, NOISE, ONE, Comparison, entry, scatter
from backprop.numerical.gradient import H_CENTRAL

NEARBY = 2.0**-36  # relative: thousands of last digits, yet the gradient is a straight line so far
ROUNDING = 1e-8  # relative: larger differences are not rounding
LAST_DIGIT = 2.0**-52


def rounding(comparison: Comparison, name: str, direction: Any = None) -> Any:
    """Return how much of the gradient, or of its component along a direction, may be rounding error.

    Rounding errors change with every small move of the arrays, so they show as scatter around a smooth curve.
    A factor that has nearly cancelled, as in a saturated softmax, is off by the last digit of what it was
    before. A right backward may differ by as much.
    """
    gradients = [nearby[name] for nearby in _gradients_nearby(comparison)]
    if direction is not None:
        gradients = [(gradient * direction).sum() for gradient in gradients]
    scattered = 8.0 * scatter(gradients)
    size = 1.0 + comparison.run.terms + abs(gradients[0])
    before_cancelling = 64.0 * LAST_DIGIT * _reach(comparison, name)
    return scattered * (scattered <= ROUNDING * size) + before_cancelling


def _reach(comparison: Comparison, name: str) -> float:
    """Return how much the function changes when an array is moved by about 1."""
    direction, _ = comparison.slopes[name]
    left, here, right = comparison.values(name, direction, [-1.0, 0.0, 1.0])
    return max(abs(left - here), abs(right - here))


def _gradients_nearby(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the gradients with every array moved along its direction by eight growing small steps."""
    target, copied, nearby = comparison.target, comparison.copy_for("central"), []
    before = {name: to_numpy(array).copy() for name, array in copied.arrays.items()}
    try:
        for k in range(8):
            for name, (direction, _) in comparison.slopes.items():
                moved = before[name] * (1.0 + k * NEARBY * direction)
                copied.arrays[name][...] = target.backend.asarray(moved)
            nearby.append(target.run(copied).gradients)
    finally:
        for name, array in copied.arrays.items():
            array[...] = target.backend.asarray(before[name])
    return nearby


def slopes_at_kink(
    comparison: Comparison, name: str, index: list[int], backward: float
) -> tuple[float, float] | None:
    """Return the slopes left and right of a kink within the step around an entry, if backward is one of them.

    Also if backward lies between them and the entry is at the kink itself. None if there is no kink or
    backward is neither: then it is wrong.
    """
    left, right, *beyond = _one_sided(comparison, name, index)
    relative, absolute = LIMITS["central"]
    limit = relative * max(abs(left), abs(right)) + 10.0 * absolute * (1.0 + comparison.run.terms)
    if not abs(right - left) > 10.0 * limit:
        return None
    exact = comparison.exact()
    here = [exact.at_entry(name, index)] if exact else []
    if not min(abs(backward - slope) for slope in (left, right, *here)) <= limit:
        if not min(left, right) <= backward <= max(left, right):
            return None
        nearer_left, nearer_right, *_ = _one_sided(comparison, name, index, shrink=1e-2)
        if not abs(nearer_right - nearer_left) > 0.5 * abs(right - left):
            return None
    return beyond[0], beyond[1]


def _one_sided(
    comparison: Comparison, name: str, index: list[int], shrink: float = 1.0
) -> tuple[float, float, float, float]:
    """Return the slopes left and right of an entry, each from three values, and those one step away."""
    at = float(comparison.copy_for("central").arrays[name][tuple(index)])
    h = shrink * H_CENTRAL * max(1.0, abs(at))
    steps = [-2.0 * h, -h, 0.0, h, 2.0 * h]
    farther, left, here, right, beyond = comparison.values(name, ONE, steps, entry(index))
    return (
        (3.0 * here - 4.0 * left + farther) / (2.0 * h),
        (4.0 * right - beyond - 3.0 * here) / (2.0 * h),
        (left - farther) / h,
        (beyond - right) / h,
    )


def agreeing(comparison: Comparison, name: str, limit: Any) -> Any:
    """Return a host mask of the entries that agree with the complex step, where that is finer."""
    gradient, exact = comparison.gradients[name], comparison.exact()
    if exact is None or exact is comparison or comparison.is_noisy(name):
        return gradient != gradient
    return abs(gradient - exact.every_entry(name)) <= limit


def finer(
    comparison: Comparison, name: str, direction: Any, backward: float, limit: float, region: Any = ...
) -> tuple[float, float] | None:
    """Return derivative and limit by a finer method than central differences, if backward agrees, else None.

    That is the complex step where it can be taken, else central differences with another step: for functions
    that bend much within the step, or whose rounding errors are larger than their size suggests.
    """
    if comparison.method == "complex":
        return None
    exact = comparison.exact()
    if exact:
        # What looks noisy may only bend much; then the two agree far better than single precision allows.
        slope = exact.slope(name, direction, region=region)
        agrees = abs(backward - slope) <= (limit if not comparison.is_noisy(name) else 1e-3 * limit)
        return (slope, limit) if agrees else None
    scattered, size = comparison.noise(name)
    if scattered > NOISE * size:
        return None
    for h in (10.0 * H_CENTRAL, 0.1 * H_CENTRAL, 0.01 * H_CENTRAL):
        slope, allowed = comparison.slope(name, direction, "central", h, region), limit + 4.0 * scattered / h
        if abs(backward - slope) <= allowed:
            return slope, allowed
    return None
