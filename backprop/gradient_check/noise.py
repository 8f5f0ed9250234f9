"""The noise of a target: how far rounding errors scatter its values around a smooth curve."""

from math import sqrt
from statistics import median
from typing import Any

from backends import to_numpy
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.derivatives import LAST_DIGIT
from backprop.gradient_check.host_arrays import random_like, scale_of

NOISE_STEPS = (1e-6, 2e-5, 4e-4)


def noise_of(comparison: Comparison, name: str) -> tuple[float, float]:
    """Return the scatter of values around a smooth curve, and their size: in float64 1e16 times that.

    Rounding scatters values equally in wide and narrow steps, which a kink or curvature does not.
    """
    at = comparison.array(name)
    scale = scale_of(at)
    direction = random_like(at, comparison.rng) * (1e-3 * scale + abs(at))
    here, far = comparison.values(name, direction, [0.0, 1.0])
    size = 1e-300 + comparison.run.terms + abs(here) + abs(far - here)
    narrow, wider, widest = (
        usual_scatter(comparison.values(name, direction, [k * step for k in range(1, 25)]))
        for step in NOISE_STEPS
    )
    grows = wider > 5.0 * narrow and widest > 5.0 * wider
    scattered = LAST_DIGIT * size if grows else sorted([narrow, wider, widest])[1]
    if not scattered < float("inf"):  # a value is not finite
        scattered = LAST_DIGIT * size
    if _gives_single(comparison):  # rounded values may lie on a line by chance
        scattered = max(scattered, 2.0**-28 * size)
    return float(scattered), float(size)


def _gives_single(comparison: Comparison) -> bool:
    """Return whether forward's output is exact in float32 at nearby arrays, too, which rules out chance."""
    outs = [_out_beside(comparison, by) for by in (1e-5, 1e-3, 0.0123)]
    are_counts = all((8.0 * out % 1.0 == 0.0).all() for out in outs)  # or masks, exact in any precision
    return not are_counts and all((out == out.astype("float32")).all() for out in outs)


def _out_beside(comparison: Comparison, by: float) -> Any:
    """Return forward's output with all arrays moved by a fraction of their size."""
    copied = comparison.target.copy()
    for name, (direction, _) in comparison.slopes.items():
        values = to_numpy(copied.arrays[name])
        moved = values + by * max(1.0, scale_of(values)) * direction
        copied.arrays[name][...] = comparison.target.backend.asarray(moved)
    return comparison.target.run(copied).out


def scatter(points: list[Any]) -> Any:
    """Return the scatter of successive numbers, or host arrays, around a smooth curve."""
    points = _fifth_differences(points)
    scale = max(float(abs(to_numpy(point)).max()) for point in points) or 1.0  # its square may overflow
    return scale * (sum((point / scale) ** 2 for point in points) / (252.0 * len(points))) ** 0.5


def usual_scatter(points: list[float]) -> float:
    """Return the scatter of numbers by the median, which a single kink among them does not change."""
    return 1.5 * float(median(map(abs, _fifth_differences(points)))) / sqrt(252.0)


def _fifth_differences(points: list[Any]) -> list[Any]:
    """Return fifth differences: a smooth curve vanishes, independent errors grow by sqrt(252)."""
    for _ in range(5):
        points = [b - a for a, b in zip(points, points[1:], strict=False)]
    return points
