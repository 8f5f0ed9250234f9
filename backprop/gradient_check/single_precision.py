"""Layers that compute in float32 inside: the evidence for that, and derivatives from such values."""

from typing import Any

from backends import to_numpy
from backprop.gradient_check.comparison import MAX_LIMIT, NOISE, Comparison
from backprop.gradient_check.derivatives import ONE, entry
from backprop.gradient_check.fast import Along, compare
from backprop.gradient_check.fitting import best_fit
from backprop.gradient_check.host_arrays import SAME, component, scale_of
from backprop.gradient_check.locating import largest
from backprop.gradient_check.rounding import SINGLE, rounding

DIGITS = 2.0**-19  # relative: the last digits that backward may lose in any entry


def evidence(comparison: Comparison, name: str) -> str:
    """Return the evidence that forward or backward has single precision only, or "" if there is none."""
    scattered, size = comparison.measured_noise(name) if _is_rounded(comparison, name) else (0.0, 1.0)
    if scattered > NOISE * size:
        return (
            f"forward has single precision only: its values scatter by {scattered / size:.0e} of their size"
        )
    gradient = comparison.gradients[name]
    if gradient.dtype.itemsize < 8:
        return f"its gradient is {gradient.dtype}"
    return _rounded_backward(comparison, name)


def _is_rounded(comparison: Comparison, name: str) -> bool:
    """Return whether values may have single precision.

    With the complex step, rounding shows because it does not commute with a step 1.1 times as large.
    """
    if comparison.method != "complex":
        return True
    index = largest(comparison, name)
    slope = comparison.at_entry(name, index)
    return abs(comparison.slope(name, 1.1 * ONE, region=entry(index)) / 1.1 - slope) > 1e-10 * abs(slope)


def _rounded_backward(comparison: Comparison, name: str) -> str:
    """Return the evidence that backward rounds to single precision, or "".

    Rounding commutes with a factor of 2 on dout, but not with one of 1.1.
    """
    target, gradient = comparison.target, comparison.gradients[name]
    if not target.honours_dout:
        return ""
    copied, size = comparison.copy_for("central"), float(abs(gradient).max())

    def off(by: float) -> float:
        other = target.run(copied, dout=by).gradients[name] / by
        return float(abs(other - gradient).max())

    by_1_1 = off(1.1)
    if not 1e-9 * size < by_1_1 < 1e-3 * size or off(2.0) > SAME * size:
        return ""
    if by_1_1 <= 16.0 * float(to_numpy(rounding(comparison, name)).max()):  # in double precision
        return ""
    return f"backward has single precision only: for 1.1 dout it is off by {by_1_1 / size:.0e} of its size"


def aligned(comparison: Comparison, name: str) -> Any:
    """Return the direction of an array with the signs of its gradient: no terms cancel along it."""
    direction, gradient = comparison.slopes[name][0], comparison.gradients[name]
    return abs(direction) * (1.0 * (gradient >= 0.0) - 1.0 * (gradient < 0.0))


def along(comparison: Comparison, name: str) -> tuple[Along, float]:
    """Return the comparison along the aligned direction, and how far backward may be off there.

    If no entry is 0, a direction in which none changes its sign may be more precise: most kinks are at 0.
    """
    x, gradient = comparison.array(name), comparison.gradients[name]
    direction = aligned(comparison, name)
    slope, error, _ = best_fit(comparison, name, direction)
    if x.all() and not error <= MAX_LIMIT * component(gradient, direction)[1]:
        keeping = direction * abs(x) / scale_of(x)
        other, smaller, _ = best_fit(comparison, name, keeping)
        if smaller <= MAX_LIMIT * component(gradient, keeping)[1]:
            direction, slope, error = keeping, other, smaller
    seen = compare(gradient, direction, slope)
    return seen, error + DIGITS * seen.size + float(rounding(comparison, name, direction, SINGLE))
