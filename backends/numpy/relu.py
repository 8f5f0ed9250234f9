"""ReLU."""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.constants import number
from backends.numpy.memory_order import in_memory_order
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "ReLU.compute")
@in_memory_order
def relu(self: Any, ws: NewArrays, x: Array) -> tuple[Array, tuple[Array]]:
    out = np.maximum(x, number(0.0, x.dtype), out=ws["out", x.shape])
    return out, (out,)


@twin("numpy", "ReLU.derive")
@in_memory_order
def relu_derive(self: Any, ws: NewArrays, dout: Array, out: Array) -> Array:
    # An infinite dout gives NaN where out is 0: such a run is lost anyway.
    dx: Array = np.multiply(dout, out > number(0.0, out.dtype), ws["dx", out.shape])
    return dx
