"""Sigmoid and Tanh: `where` takes longer than an exponential, so there is none."""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.blocks import blocks
from backends.numpy.constants import number
from backends.numpy.memory_order import in_memory_order
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "Sigmoid.compute")
@in_memory_order
def sigmoid(self: Any, ws: NewArrays, x: Array) -> tuple[Array, tuple[Array]]:
    out, e = ws["out", x.shape], ws["e", x.shape]
    zero, one = number(0.0, x.dtype), number(1.0, x.dtype)
    for x_block, e_block, out_block in blocks(x, e, out):
        np.exp(np.negative(np.abs(x_block, e_block), e_block), e_block)
        np.exp(np.minimum(x_block, zero, out=out_block), out_block)  # 1 where x is positive, else e
        out_block /= e_block + one
    return out, (e,)


@twin("numpy", "Sigmoid.derive")
@in_memory_order
def sigmoid_derive(self: Any, ws: NewArrays, dout: Array, e: Array) -> Array:
    return bell(ws["dx", e.shape], dout, e, 1.0)


@twin("numpy", "Tanh.compute")
@in_memory_order
def tanh(self: Any, ws: NewArrays, x: Array) -> tuple[Array, tuple[Array]]:
    out, e = ws["out", x.shape], ws["e", x.shape]
    for x_block, e_block, out_block in blocks(x, e, out):
        np.exp(np.negative(np.abs(x_block, e_block), e_block), e_block)
        e_block *= e_block
        np.tanh(x_block, out_block)
    return out, (e,)


@twin("numpy", "Tanh.derive")
@in_memory_order
def tanh_derive(self: Any, ws: NewArrays, dout: Array, e: Array) -> Array:
    return bell(ws["dx", e.shape], dout, e, 4.0)


def bell(dx: Array, dout: Array, e: Array, by: float) -> Array:
    """Return dout times a number of times e / (1 + e)²."""
    one, factor = number(1.0, e.dtype), number(by, e.dtype)
    for dx_block, dout_block, e_block in blocks(dx, dout, e):
        np.add(e_block, one, dx_block)
        dx_block *= dx_block
        np.divide(e_block, dx_block, dx_block)
        if by != 1.0:
            dx_block *= factor
        dx_block *= dout_block
    return dx
