"""What the complex step does not see of forward: the slope of abs, or of a cast to real numbers.

Im f(x + i h u) / h misses it whatever h is; central differences do not. Of an analytic f both are off by the
same, but with opposite signs: by -h² f'''/6 and h² f'''/6. So their sum less twice the derivative is what is
missed, to h⁴, and shows it where it is far below the precision of central differences.
"""

from typing import Any

from backprop.gradient_check.comparison import Comparison
from backprop.numerical.gradient import value_at

STEPS = (1e-3, 1e-2, 1e-1)  # the wider ones for what rounding hides from the first
EXPLAINED = 0.1  # of the gap: so much may remain


def misses(comparison: Comparison, name: str, gap: float, direction: Any, region: Any = ...) -> bool:
    """Return whether the complex step misses what backward has more than it along a direction.

    gap: backward less the derivative by the complex step.
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
