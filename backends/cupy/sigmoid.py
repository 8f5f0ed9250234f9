"""Sigmoid."""

from typing import Any

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin


@kernel_twin("Sigmoid.compute")
def sigmoid(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array]]:
    out, e = ws["out", x.shape], ws["e", x.shape]
    ws.backend.launch_for_each("sigmoid", x.size, x, out, e)
    return out, (e,)


@kernel_twin("Sigmoid.derive")
def sigmoid_derive(self: Any, ws: Any, dout: Array, e: Array) -> Array:
    dx = ws["dx", e.shape]
    ws.backend.launch_for_each("sigmoid_backward", e.size, dout, e, dx)
    return dx
