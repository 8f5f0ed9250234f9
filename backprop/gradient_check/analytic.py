"""A test of forward: the complex step can be taken if it agrees with central differences."""

import warnings
from typing import TYPE_CHECKING, Any

from backends import to_numpy
from backprop.gradient_check.derivatives import CENTRAL_ROUNDING, LAST_DIGIT
from backprop.gradient_check.host_arrays import random_like, scale_of
from backprop.numerical.gradient import H_CENTRAL, NotAnalytic

if TYPE_CHECKING:
    from backprop.gradient_check.comparison import Comparison


def why_not_complex(comparison: "Comparison", directions: dict[str, Any]) -> str:
    """Fill `slopes` by the complex step. Return the reason why it cannot be taken, or "" if it can."""
    try:
        with warnings.catch_warnings():
            # A cast to real numbers loses the derivative; as an error it becomes the reason.
            warnings.filterwarnings("error", message="Casting complex values to real")
            comparison.slopes = {name: (u, comparison.slope(name, u)) for name, u in directions.items()}
        for name in directions:
            if not _is_analytic(comparison, name) and not comparison.is_noisy(name):
                return f"the complex step misses a slope in {name} that central differences see"
    except NotAnalytic:
        return "it returns real numbers for complex input"
    except Exception as error:  # forward may raise anything on complex numbers
        return f"{type(error).__name__}: {error}"
    return ""


def _is_analytic(comparison: "Comparison", name: str) -> bool:
    """Return whether the complex step agrees with central differences, here or beside a possible kink."""
    direction, slope = comparison.slopes[name]
    if _as_central(comparison, name, slope):
        return True
    backend = comparison.target.backend
    arrays = [comparison.copy_for(method).arrays[name] for method in ("central", "complex")]
    before = [backend.copy(array) for array in arrays]
    at = to_numpy(before[0])
    beside = backend.asarray(at + 0.01 * (1.0 + abs(at)) * random_like(at, comparison.rng))
    try:
        for array in arrays:
            array[...] = backend.astype(beside, array.dtype)
        return _as_central(comparison, name, comparison.slope(name, direction))
    finally:
        for array, values in zip(arrays, before, strict=True):
            array[...] = values


def _as_central(comparison: "Comparison", name: str, slope: float) -> bool:
    """Return whether central differences with any of several steps give that slope along the direction."""
    rounding = CENTRAL_ROUNDING * 4.0 * comparison.run.terms
    if _near_central(comparison, name, slope, rounding, (1.0, 1e2, 1e-1)):
        return True
    scattered, size = comparison.measured_noise(name)
    narrow = min(1.0, scale_of(comparison.array(name)))
    allowed = 8.0 * max(scattered, LAST_DIGIT * size) / H_CENTRAL
    return _near_central(comparison, name, slope, allowed, (1.0, narrow))


def _near_central(
    comparison: "Comparison", name: str, slope: float, allowed: float, stretches: tuple[float, ...]
) -> bool:
    direction, _ = comparison.slopes[name]
    for stretch in stretches:
        central = comparison.central_slope(name, direction, stretch * H_CENTRAL)
        if abs(central - slope) <= 1e-6 * abs(central) + allowed / min(stretch, 1.0):
            return True
    return False
