"""ReLU."""

from typing import Any

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin


@kernel_twin("ReLU.compute")
def relu(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array]]:
    out = ws["out", x.shape]
    ws.backend.launch_for_each("relu", x.size, x, out)
    return out, (out,)


@kernel_twin("ReLU.derive")
def relu_derive(self: Any, ws: Any, dout: Array, out: Array) -> Array:
    dx = ws["dx", out.shape]
    ws.backend.launch_for_each("relu_backward", out.size, dout, out, dx)
    return dx
