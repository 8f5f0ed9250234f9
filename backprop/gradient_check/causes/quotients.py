"""The factor between a gradient and the derivative, if it is the same along every direction."""

from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import component
from backprop.gradient_check.target import Target

TOLERANCE = {"complex": 1e-8, "central": 1e-3}  # for quotients of derivatives


def compared(target: Target, method: str) -> Comparison:
    """Return the comparison of a variant of the target."""
    return Comparison(target, target.run(target.copy()), method)


def factor_of(comparison: Comparison, name: str) -> float | None:
    """Return the gradient's ratio to the derivative if it is the same along three directions, else None."""
    gradient = comparison.gradients[name]
    # For each direction: the gradient along it, the gradient's size, the derivative along it.
    products = [(*component(gradient, along), slope) for along, slope in comparison.probes(name)]
    square = sum(slope * slope for _, _, slope in products)
    if not square > 1e6 * comparison.limit(0.0) ** 2:
        return None
    factor = sum(along * slope for along, _, slope in products) / square
    relative = {"complex": 1e-10, "central": 1e-5}[comparison.method]
    for along, size, slope in products:
        allowed = relative * (size + abs(factor * slope)) + comparison.limit(0.0)
        if not abs(along - factor * slope) <= allowed:
            return None
    return factor


def same(a: float | None, b: float | None, method: str) -> bool:
    """Return whether two quotients agree within the tolerance of the method; None agrees with nothing."""
    return a is not None and b is not None and abs(a - b) <= TOLERANCE[method] * max(abs(a), abs(b), 1e-3)
