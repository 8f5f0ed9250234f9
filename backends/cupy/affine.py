"""Affine, alone and followed by ReLU."""

from typing import Any

import numpy as np

from backends.cupy import launch
from backends.cupy.array import Array
from backends.cupy.cublas import product
from backends.cupy.launch import is_small, kernel_twin, tiles


@kernel_twin("Affine.compute")
def affine(self: Any, ws: Any, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    return forward(ws, x, W, b, rectified=False), (x, W)


@kernel_twin("Affine.derive")
def affine_derive(self: Any, ws: Any, dout: Array, x: Array, W: Array) -> tuple[Array | None, ...]:
    return backward(ws, dout, None, x, W)


@kernel_twin("Affine+ReLU.compute")
def affine_relu(self: Any, ws: Any, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    out = forward(ws, x, W, b, rectified=True)
    return out, (x, W, out)


@kernel_twin("Affine+ReLU.derive")
def affine_relu_derive(
    self: Any, ws: Any, dout: Array, x: Array, W: Array, out: Array
) -> tuple[Array | None, ...]:
    return backward(ws, dout, out, x, W)


def forward(ws: Any, x: Array, W: Array, b: Array, rectified: bool) -> Array:
    """Return x W + b, or max(x W + b, 0) if rectified."""
    rows = as_rows(x, W)
    (n, d), m = rows.shape, W.shape[1]
    out = ws["out", (n, m)]
    if is_small(n, d, m):
        counts = np.int32(n), np.int32(d), np.int32(m), np.int32(rectified)
        ws.backend.launch("affine", tiles(n, m), rows, W, b, out, *counts)
    else:
        product(ws.backend.xp, rows, W, out)
        ws.backend.launch("add_bias", n, out, b, np.int64(m), np.int32(rectified))
    return out


def backward(
    ws: Any, dout: Array, out: Array | None, x: Array, W: Array, dx: Array | None = None
) -> tuple[Array | None, ...]:
    """Return the gradients of x (in its shape), W and b.

    out: the output of a following ReLU, or None.  dx: the first of the gradients, if it is known already.
    """
    rows = as_rows(x, W)
    (n, d), m = rows.shape, W.shape[1]
    dW, db = ws["dW", W.shape], ws["db", (m,)]
    new_dx = ws["dx", x.shape] if ws.needs_dx and dx is None else None
    if is_small(n, d, m):
        blocks = tiles(d + 1, m) + (tiles(n, d) if new_dx is not None else 0)
        counts = np.int32(n), np.int32(d), np.int32(m)
        ws.backend.launch("affine_backward", blocks, dout, out, rows, W, dW, db, new_dx, *counts)
    else:
        dz = dout if out is None else ws["dz", dout.shape]
        bias_backward(ws, dout, out, dz, db)
        if new_dx is not None:
            product(ws.backend.xp, dz, W.T, new_dx.reshape(n, d))
        product(ws.backend.xp, rows.T, dz, dW)
    return dx if new_dx is None else new_dx, dW, db


def bias_backward(ws: Any, dout: Array, out: Array | None, dz: Array, db: Array) -> None:
    """Write the column sums of dz into db. If there is an out, also write dz = dout where out > 0, else 0.

    Many rows are summed in parts, and the parts are summed in a second launch.
    """
    n, m = dout.shape
    parts = -(-n // launch.ROWS)
    sums = ws["sums", (parts, m)] if parts > 1 else db
    blocks, counts = -(-m // 32) * parts, (np.int64(n), np.int64(m), np.int64(launch.ROWS))
    ws.backend.launch("bias_backward", blocks, dout, out, dz, sums, *counts, block=(32, 8))
    if parts > 1:
        bias_backward(ws, sums, None, sums, db)


def as_rows(x: Array, W: Array) -> Array:
    """Return samples as the rows of a matrix."""
    return x if x.ndim == 2 else x.reshape(len(x), W.shape[0])
