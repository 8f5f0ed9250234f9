"""The heart of the check: backward's gradient against the derivative of forward, along a random direction.

Let f be forward as a scalar, g its gradient by an array x, and u a random array of the shape of x. Then ::

    Σ g u  =  d/dt f(x + t u) at t = 0  =  Im f(x + i h u) / h    with h = 1e-30

The left side is an inner product with the gradient that backward returned. The right side is one run of
forward with complex numbers, exact to rounding because nothing is subtracted. A wrong g hardly ever has the
right component along a random u, so two numbers check all entries of g, however many there are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backends import Array
from backprop.gradient_check.host_arrays import component, random_like
from backprop.numerical.gradient import H_CENTRAL, H_COMPLEX, value_at

PRECISION = 1e-12  # relative: both sides accumulate rounding errors in the last of 16 digits


def random_direction(x: Any, rng: Any) -> Any:
    """Return u for a host array x such that x + h u is exact; large entries move further."""
    u = random_like(x, rng)
    if max(x.max(), -x.min()) > 1e6:
        u *= (1e-6 * abs(x)).clip(1.0, None)
    u *= H_CENTRAL  # in place, since the arrays are large
    u += x
    u -= x
    u /= H_CENTRAL
    return u


def derivative_along(f: Callable[[], Any], x: Array, u: Any, region: Any = ...) -> float:
    """Return Im f(x + i h u) / h.  f: takes no arguments and reads x, an array of complex128.

    region: the part of x that moves.
    """
    moved: complex = value_at(f, x, u, complex(0.0, H_COMPLEX), region)
    return moved.imag / H_COMPLEX


@dataclass
class Along:
    """The component of a gradient along a direction, the derivative there, and the size of the gradient."""

    backward: float
    derivative: float
    size: float  # the root of Σ (g u)², to which an error in any entry is relative

    def agrees(self) -> bool:
        """Return whether backward agrees with the derivative; False if either is not finite."""
        return abs(self.backward - self.derivative) <= PRECISION * self.size < float("inf")


def compare(g: Any, u: Any, derivative: float) -> Along:
    """Return the comparison of a host gradient with the derivative along a direction."""
    backward, size = component(g, u)
    return Along(backward, derivative, size)
