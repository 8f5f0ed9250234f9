"""GlobalAveragePool2D. CuPy would take seconds to compile a mean of its own."""

from math import prod
from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin, warps


@kernel_twin("GlobalAveragePool2D.compute")
def global_average_pool2d(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array]]:
    out = ws["out", x.shape[:2]]
    sizes = np.int64(out.size), np.int64(prod(x.shape[2:]))
    ws.backend.launch("global_average_pool2d", warps(out.size), x, out, *sizes)
    return out, (x,)


@kernel_twin("GlobalAveragePool2D.derive")
def global_average_pool2d_derive(self: Any, ws: Any, dout: Array, x: Array) -> Array:
    dx, pixels = ws["dx", x.shape], np.int64(prod(x.shape[2:]))
    ws.backend.launch_for_each("global_average_pool2d_backward", dx.size, dout, dx, pixels)
    return dx
