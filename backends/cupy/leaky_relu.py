"""LeakyReLU."""

from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin


@kernel_twin("LeakyReLU.compute")
def leaky_relu(self: Any, ws: Any, x: Array) -> tuple[Array, tuple[Array]]:
    out = ws["out", x.shape]
    ws.backend.launch_for_each("leaky_relu", x.size, x, out, np.float32(self.slope))
    return out, (out,)


@kernel_twin("LeakyReLU.derive")
def leaky_relu_derive(self: Any, ws: Any, dout: Array, out: Array) -> Array:
    dx = ws["dx", out.shape]
    ws.backend.launch_for_each("leaky_relu_backward", out.size, dout, out, dx, np.float32(self.slope))
    return dx
