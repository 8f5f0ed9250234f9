"""GELU."""

from typing import Any

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin


@kernel_twin("GELU.compute")
def gelu(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array]]:
    out, slope = ws["out", x.shape], ws["slope", x.shape]
    ws.backend.launch_for_each("gelu", x.size, x, out, slope)
    return out, (slope,)


@kernel_twin("GELU.derive")
def gelu_derive(self: Any, ws: Any, dout: Array, slope: Array) -> Array:
    dx = ws["dx", slope.shape]
    ws.backend.launch_for_each("gelu_backward", slope.size, dout, slope, dx)
    return dx
