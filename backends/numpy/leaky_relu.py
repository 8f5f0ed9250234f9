"""LeakyReLU."""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.blocks import blocks
from backends.numpy.constants import number
from backends.numpy.memory_order import in_memory_order
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "LeakyReLU.compute")
@in_memory_order
def leaky_relu(self: Any, ws: NewArrays, x: Array) -> tuple[Array, tuple[Array]]:
    out, slope = ws["out", x.shape], number(self.slope, x.dtype)
    for x_block, out_block in blocks(x, out):
        np.multiply(x_block, slope, out_block)
        np.maximum(x_block, out_block, out=out_block)
    return out, (out,)


@twin("numpy", "LeakyReLU.derive")
@in_memory_order
def leaky_relu_derive(self: Any, ws: NewArrays, dout: Array, out: Array) -> Array:
    dx: Array = ws["dx", out.shape]
    zero, slope = number(0.0, out.dtype), number(self.slope, out.dtype)
    for dx_block, dout_block, out_block in blocks(dx, dout, out):
        np.maximum(out_block > zero, slope, out=dx_block)  # 1 where out is positive, else the slope
        dx_block *= dout_block
    return dx
