"""AveragePool2D."""

from typing import Any

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin
from backends.cupy.windows import integers, pieces, window_counts
from backends.twins import REAL

KERNELS = {
    "float32": ("average_pool2d", "average_pool2d_backward"),
    "float64": ("average_pool2d_double", "average_pool2d_backward_double"),
}


@kernel_twin("AveragePool2D.compute", REAL)
def average_pool2d(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array]]:
    counts = window_counts(x.shape[2:], self.kernel, self.stride, self.padding)
    out = ws["out", (*x.shape[:2], *counts)]
    kernel, _ = KERNELS[x.dtype.name]
    for arrays in pieces(x, out):
        numbers = integers(*x.shape[2:], self.size, *counts, self.stride, self.padding)
        ws.backend.launch_for_each(kernel, arrays[1].size, *arrays, *numbers)
    return out, (x,)


@kernel_twin("AveragePool2D.derive", REAL)
def average_pool2d_derive(self: Any, ws: Any, dout: Array, x: Array) -> Array:
    dx = ws["dx", x.shape]
    _, kernel = KERNELS[x.dtype.name]
    for arrays in pieces(dout, dx):
        numbers = integers(*x.shape[2:], self.size, *dout.shape[2:], self.stride, self.padding)
        ws.backend.launch_for_each(kernel, arrays[1].size, *arrays, *numbers)
    return dx
