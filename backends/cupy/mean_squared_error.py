"""Mean squared error. One kernel computes the losses and the derivative of their mean."""

from math import prod
from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin, warps


@kernel_twin("MeanSquaredError.compute")
def mean_squared_error(self: Any, ws: Any, y: Array, t: Array) -> tuple[Array, tuple[Array]]:
    losses, dy = losses_and_dz("mean_squared_error", ws, y, t)
    return losses, (dy,)


@kernel_twin("MeanSquaredError.derive")
def mean_squared_error_derive(self: Any, ws: Any, dout: float, dy: Array) -> Array:
    return scaled(dout, dy)


def losses_and_dz(kernel: str, ws: Any, z: Array, t: Array) -> tuple[Array, Array]:
    """Return one loss per sample, and the derivative of their mean, by a kernel with a warp per sample."""
    n = len(z)
    losses, dz = ws["losses", (n,)], ws["dz", z.shape]
    ws.backend.launch(kernel, warps(n), z, t, losses, dz, np.int64(n), np.int64(prod(z.shape[1:])))
    return losses, dz


def scaled(dout: float, dz: Array) -> Array:
    """Return the gradient of a loss's input for dout, from dz, which is that for a dout of 1/N."""
    n = len(dz)
    return dz if dout == 1.0 / n else dz * np.float32(dout * n)
