"""Slopes of forward that the complex step misses, such as that of abs or of a cast to real numbers.

Im f(x + i h u) / h misses them whatever h is; central differences do not. For an analytic f both are off by
the same amount with opposite signs: -h² f'''/6 and h² f'''/6. So their sum minus twice the derivative is
the missed slope, to order h⁴, even if it is far below the precision of central differences.
"""

from typing import Any

from backprop.gradient_check.comparison import Comparison
from backprop.numerical.gradient import value_at

STEPS = (1e-3, 1e-2, 1e-1)  # rounding may hide a slope at the first
EXPLAINED = 0.1  # the fraction of the gap that may remain


def misses(comparison: Comparison, name: str, gap: float, direction: Any, region: Any = ...) -> bool:
    """Return whether a slope that the complex step misses along a direction explains the gap.

    gap: backward minus the derivative by the complex step.
    """
    copied, backend = comparison.copy_for("complex"), comparison.target.backend
    array, along = copied.arrays[name], backend.asarray(direction)
    twice = 2.0 * comparison.slope(name, direction, region)
    for h in STEPS:
        moved: complex = value_at(lambda: comparison.value(copied), array, along, complex(0.0, h), region)
        missed = moved.imag / h + comparison.central_slope(name, direction, h, region) - twice
        if abs(gap - missed) <= EXPLAINED * abs(gap):
            return True
    return False
