"""BatchNorm."""

from math import prod
from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin

WIDTH = 8  # features of a block, if a sample has one value for each: 32 bytes, which a GPU reads as one
MANY = 4096  # values of a feature that are worth a large block


@kernel_twin("BatchNorm.compute")
def batch_norm(
    self: Any, ws: Any, x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array
) -> tuple[Array, tuple[Array, ...], tuple[Array, Array]]:
    out, x_hat, channels = ws["out", x.shape], ws["x_hat", x.shape], gamma.shape
    factor = ws["factor", (1, *channels, *[1] * (x.ndim - 2))]
    new = ws["running_mean", channels], ws["running_var", channels]
    numbers = np.float32(self.momentum), np.float32(1.0 - self.momentum), np.float32(self.eps)
    given = x, gamma, beta, running_mean, running_var
    _launch(ws, "batch_norm", x.shape, *given, out, x_hat, factor, *new, numbers=numbers)
    return out, (x_hat, factor), new


@kernel_twin("BatchNorm.derive")
def batch_norm_derive(
    self: Any, ws: Any, dout: Array, x_hat: Array, factor: Array
) -> tuple[Array | None, Array, Array]:
    dx = ws["dx", dout.shape] if ws.needs_dx else None
    dgamma, dbeta = (ws[name, dout.shape[1:2]] for name in ("dgamma", "dbeta"))
    _launch(ws, "batch_norm_backward", dout.shape, dout, x_hat, factor, dx, dgamma, dbeta)
    return dx, dgamma, dbeta


def _launch(
    ws: Any, kernel: str, shape: tuple[int, ...], *arrays: Any, numbers: tuple[Any, ...] = ()
) -> None:
    n, channels, inner = shape[0], shape[1], prod(shape[2:])
    width = WIDTH if inner == 1 else 1
    sizes = np.int64(n), np.int64(channels), np.int64(inner), np.int32(width)
    threads = 1024 if n * inner > MANY else 256
    ws.backend.launch(kernel, -(-channels // width), *arrays, *sizes, *numbers, block=(threads,))
