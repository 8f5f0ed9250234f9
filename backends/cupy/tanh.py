"""Tanh."""

from typing import Any

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin


@kernel_twin("Tanh.compute")
def tanh(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array]]:
    out, e = ws["out", x.shape], ws["e", x.shape]
    ws.backend.launch_for_each("hyperbolic", x.size, x, out, e)  # C++ has a tanh of its own
    return out, (e,)


@kernel_twin("Tanh.derive")
def tanh_derive(self: Any, ws: Any, dout: Array, e: Array) -> Array:
    dx = ws["dx", e.shape]
    ws.backend.launch_for_each("hyperbolic_backward", e.size, dout, e, dx)
    return dx
