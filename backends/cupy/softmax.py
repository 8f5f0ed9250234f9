"""Softmax alone."""

from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin, warps


@kernel_twin("Softmax.compute")
def softmax(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array]]:
    out, classes = ws["out", x.shape], x.shape[-1]
    n = x.size // max(1, classes)
    ws.backend.launch("softmax", warps(n), x, out, np.int64(n), np.int64(classes))
    return out, (out,)


@kernel_twin("Softmax.derive")
def softmax_derive(self: Any, ws: Any, dout: Array, out: Array) -> Array:
    dx, classes = ws["dx", out.shape], out.shape[-1]
    n = out.size // max(1, classes)
    ws.backend.launch("softmax_backward", warps(n), dout, out, dx, np.int64(n), np.int64(classes))
    return dx
