"""Softmax with loss, alone and after an Affine.

One kernel computes the losses and the derivative of their mean, which nearly every backward needs.
"""

from typing import Any

import numpy as np

from backends.cupy.affine import as_rows, backward
from backends.cupy.array import Array
from backends.cupy.cublas import product
from backends.cupy.launch import is_small, kernel_twin, warps


@kernel_twin("SoftmaxCrossEntropy.compute")
def softmax_cross_entropy(self: Any, ws: Any, z: Array, labels: Array) -> tuple[Array, tuple[Array, ...]]:
    losses, dz = ws["losses", z.shape[:1]], ws["dz", z.shape]
    _losses_of_rows(ws, z, None, labels, losses, dz)
    return losses, (dz,)


@kernel_twin("SoftmaxCrossEntropy.derive")
def softmax_cross_entropy_derive(self: Any, ws: Any, dout: float, dz: Array) -> Array:
    return scaled(dout, dz)


@kernel_twin("SoftmaxCrossEntropy.correct")
def softmax_cross_entropy_correct(self: Any, ws: Any, z: Array, labels: Array) -> Array:
    n, classes = z.shape
    right = ws["correct", (n,), np.bool_]
    ws.backend.launch("correct", warps(n), z, labels, right, np.int64(n), np.int32(classes))
    return right


@kernel_twin("Affine+SoftmaxCrossEntropy.compute")
def affine_softmax_cross_entropy(
    self: Any, ws: Any, x: Array, labels: Array, W: Array, b: Array
) -> tuple[Array, tuple[Array, ...]]:
    rows = as_rows(x, W)
    (n, d), classes = rows.shape, W.shape[1]
    losses, dz = ws["losses", (n,)], ws["dz", (n, classes)]
    if is_small(n, d, classes):
        counts = np.int32(n), np.int32(d), np.int32(classes)
        ws.backend.launch("affine_softmax_cross_entropy", n, rows, W, b, labels, losses, dz, *counts)
    else:
        _losses_of_rows(ws, product(ws.backend.xp, rows, W, dz), b, labels, losses, dz)
    return losses, (x, W, dz)


@kernel_twin("Affine+SoftmaxCrossEntropy.derive")
def affine_softmax_cross_entropy_derive(
    self: Any, ws: Any, dout: float, x: Array, W: Array, dz: Array
) -> tuple[Array | None, ...]:
    return backward(ws, scaled(dout, dz), None, x, W)


def _losses_of_rows(ws: Any, z: Array, b: Array | None, labels: Array, losses: Array, dz: Array) -> None:
    """Write the losses of logits z + b, and the derivative of their mean.  dz may be z."""
    n, classes = z.shape
    counts = np.int64(n), np.int32(classes)
    ws.backend.launch("softmax_cross_entropy", warps(n), z, b, labels, losses, dz, *counts)


def scaled(dout: float, dz: Array) -> Array:
    """Return the gradient of the logits for dout, from dz, which is that for a dout of 1/N."""
    n = len(dz)
    return dz if dout == 1.0 / n else dz * np.float32(dout * n)
