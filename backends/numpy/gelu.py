"""GELU in float32, with a quotient of half as many terms as in the formula.

P(y) / Q(y) equals Φ(-y) exp(y²/2) on 0 ≤ y ≤ 40 to 2e-8 of its value. backprop/layers/normal.py tells how
such coefficients are made.
"""

from collections.abc import Sequence
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.blocks import blocks
from backends.numpy.constants import number
from backends.numpy.memory_order import in_memory_order
from backends.twins import twin
from backends.workspace import NewArrays


def constants(*values: float) -> list[Array]:
    """Return each number as an array."""
    return [number(value, np.dtype("float32")) for value in values]


FARTHEST, ZERO, HALF, MINUS_HALF, DENSITY = constants(40.0, 0.0, 0.5, -0.5, 1.0 / sqrt(2.0 * pi))
P = constants(
    0.5000000106492215, 0.4595156352499106, 0.199380617175906, 0.04619076399114185, 0.004970718758629194
)
Q = constants(
    1.0, 1.7169171742251421, 1.268649104149334, 0.512176196323446, 0.11578469596160501, 0.01245972629242322
)


@twin("numpy", "GELU.compute", dtypes=("float32",))
@in_memory_order
def gelu(self: Any, ws: NewArrays, x: Array) -> tuple[Array, tuple[Array]]:
    out, slope = ws["out", x.shape], ws["slope", x.shape]
    for x_block, out_block, slope_block in blocks(x, out, slope):
        y, bell, tail = (ws[name, x_block.shape] for name in ("y", "bell", "tail"))
        np.minimum(np.abs(x_block, y), FARTHEST, out=y)
        np.multiply(y, y, bell)
        bell *= MINUS_HALF
        np.exp(bell, bell)
        polynomial(P, y, tail)
        tail /= polynomial(Q, y, out_block)
        tail *= bell  # Φ(-|x|)
        bell *= DENSITY
        bell *= y
        np.subtract(tail, bell, bell)  # the slope at -|x|; at |x| it is 1 less this one
        np.sign(x_block, slope_block)
        bell *= slope_block
        slope_block *= HALF
        slope_block += HALF
        slope_block -= bell
        tail *= y
        np.maximum(x_block, ZERO, out=out_block)
        out_block -= tail
    return out, (slope,)


@twin("numpy", "GELU.derive", dtypes=("float32",))
@in_memory_order
def gelu_derive(self: Any, ws: NewArrays, dout: Array, slope: Array) -> Array:
    dx: Array = np.multiply(dout, slope, ws["dx", dout.shape])
    return dx


def polynomial(coefficients: Sequence[Array], y: Array, out: Array) -> Array:
    """Return c0 + c1 y + c2 y² + …, by Horner's rule."""
    np.multiply(y, coefficients[-1], out)
    for c in coefficients[-2:0:-1]:
        out += c
        out *= y
    out += coefficients[0]
    return out
