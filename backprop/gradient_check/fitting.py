"""The slope of noisy values, such as those in single precision, from a curve fitted to them."""

from math import hypot
from typing import Any, NamedTuple

from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import scale_of

STEPS = 8  # on either side
WIDTHS = (1e-4, 1e-3, 1e-2, 0.1, 0.5)


class Fitted(NamedTuple):
    """The slope of a curve fitted to values over a width, and its error estimated from their scatter."""

    slope: float
    error: float
    width: float


def best_fit(comparison: Comparison, name: str, direction: Any, region: Any = ...) -> Fitted:
    """Return the fit over the width that gives the most precise slope."""
    scale = scale_of(comparison.array(name))
    widths = [by * width for by in {1.0, min(scale, 1.0), max(scale, 1.0)} for width in WIDTHS]
    return best([fit(comparison, name, direction, region, width) for width in widths])


def best(fits: list[Fitted]) -> Fitted:
    """Return the fit with the smallest error."""
    return min(fits, key=lambda fitted: fitted.error if fitted.error < float("inf") else float("inf"))


def fit(comparison: Comparison, name: str, direction: Any, region: Any, width: float) -> Fitted:
    """Fit a t + b t² + c t³ + d t⁴ to the values on either side by least squares."""
    h, ks = width / STEPS, range(1, STEPS + 1)
    here, *values = comparison.values(name, direction, [k * h for k in (0, *ks, *(-k for k in ks))], region)
    sides = list(zip(values[:STEPS], values[STEPS:], strict=True))
    a, residual, of_error = _two_powers([(right - left) / 2.0 for right, left in sides], 1, 3)
    _, of_even, _ = _two_powers([(right + left) / 2.0 - here for right, left in sides], 2, 4)
    # Near a kink only the odd parts of values lie on a line, not the even ones. A few may do so by chance.
    scattered = max(residual, of_even, comparison.noise(name)[0])
    return Fitted(a / h, 8.0 * scattered * of_error / h, width)


def _two_powers(values: list[float], p: int, q: int) -> tuple[float, float, float]:
    """Fit a k^p + b k^q to values at k = 1, 2, … by least squares.

    Return a, the scatter of the values around the curve, and the fraction of it that passes into a.
    """
    ks = range(1, len(values) + 1)
    pp, pq, qq = (float(sum(k**power for k in ks)) for power in (2 * p, p + q, 2 * q))
    of_p, of_q = (sum(k**power * value for k, value in zip(ks, values, strict=True)) for power in (p, q))
    determinant = pp * qq - pq * pq
    a, b = (of_p * qq - of_q * pq) / determinant, (of_q * pp - of_p * pq) / determinant
    residual = hypot(*(value - a * k**p - b * k**q for k, value in zip(ks, values, strict=True)))
    return a, residual / (len(values) - 2) ** 0.5, (qq / determinant) ** 0.5
