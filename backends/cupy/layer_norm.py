"""LayerNorm."""

from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin

COLUMNS = 8  # as in layer_norm.cu


@kernel_twin("LayerNorm.compute")
def layer_norm(self: Any, ws: Any, x: Array, gamma: Array, beta: Array) -> tuple[Array, tuple[Array, ...]]:
    n = len(x)
    out, x_hat, scale = ws["out", x.shape], ws["x_hat", x.shape], ws["scale", (n, *[1] * (x.ndim - 1))]
    given = x, gamma, beta, out, x_hat, scale
    ws.backend.launch("layer_norm", n, *given, np.int64(gamma.size), np.float32(self.eps))
    return out, (x_hat, scale, gamma)


@kernel_twin("LayerNorm.derive")
def layer_norm_derive(
    self: Any, ws: Any, dout: Array, x_hat: Array, scale: Array, gamma: Array
) -> tuple[Array | None, Array, Array]:
    n, size = len(dout), gamma.size
    dx = ws["dx", dout.shape] if ws.needs_dx else None
    dgamma, dbeta = ws["dgamma", gamma.shape], ws["dbeta", gamma.shape]
    blocks = -(-size // COLUMNS) + (n if ws.needs_dx else 0)
    arrays = dout, x_hat, gamma, scale, dx, dgamma, dbeta
    ws.backend.launch("layer_norm_backward", blocks, *arrays, np.int64(n), np.int64(size))
    return dx, dgamma, dbeta
