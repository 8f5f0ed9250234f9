"""MaxPool2D. As in its formula, backward reads which values are the largest of their windows."""

from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin
from backends.cupy.windows import integers, pieces, window_counts
from backends.twins import REAL

KERNELS = {
    "float32": ("max_pool2d", "max_pool2d_backward"),
    "float64": ("max_pool2d_double", "max_pool2d_backward_double"),
}


@kernel_twin("MaxPool2D.compute", REAL)
def max_pool2d(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array, Array]]:
    counts = window_counts(x.shape[2:], self.kernel, self.stride, self.padding)
    out = ws["out", (*x.shape[:2], *counts)]
    largest = ws["largest", (*x.shape[:2], self.size**2, *counts), np.bool_]
    kernel, _ = KERNELS[x.dtype.name]
    for arrays in pieces(x, out, largest):
        numbers = integers(*x.shape[2:], self.size, *counts, self.stride, self.padding)
        ws.backend.launch_for_each(kernel, arrays[1].size, *arrays, *numbers)
    return out, (x, largest)


@kernel_twin("MaxPool2D.derive", REAL)
def max_pool2d_derive(self: Any, ws: Any, dout: Array, x: Array, largest: Array) -> Array:
    dx = ws["dx", x.shape]
    _, kernel = KERNELS[x.dtype.name]
    for arrays in pieces(dout, largest, dx):
        numbers = integers(*x.shape[2:], self.size, *dout.shape[2:], self.stride, self.padding)
        ws.backend.launch_for_each(kernel, arrays[2].size, *arrays, *numbers)
    return dx
