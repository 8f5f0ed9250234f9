"""Softmax with loss, alone and after an Affine.

The logits are stored transposed, (C, N), so that reductions run along the batch.
"""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.affine import affine_derive
from backends.numpy.constants import indices, number, ones
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "SoftmaxCrossEntropy.compute")
def softmax_cross_entropy(
    self: Any, ws: NewArrays, z: Array, labels: Array
) -> tuple[Array, tuple[Array, ...]]:
    transposed = ws["z", z.shape[::-1]]
    transposed[...] = z.T
    return losses(ws, transposed, labels)


@twin("numpy", "SoftmaxCrossEntropy.derive")
def softmax_cross_entropy_derive(
    self: Any, ws: NewArrays, dout: float, e: Array, total: Array, true: Array
) -> Array:
    return dlogits(dout, e, total, true)


@twin("numpy", "Affine+SoftmaxCrossEntropy.compute")
def affine_softmax_cross_entropy(
    self: Any, ws: NewArrays, x: Array, labels: Array, W: Array, b: Array
) -> tuple[Array, tuple[Array, ...]]:
    rows = x if x.ndim == 2 else x.reshape(len(x), -1)
    z = W.T.dot(rows.T, ws["z", (len(b), len(x))])
    z += b[:, None]
    out, saved = losses(ws, z, labels)
    return out, (x, W, *saved)


@twin("numpy", "Affine+SoftmaxCrossEntropy.derive")
def affine_softmax_cross_entropy_derive(
    self: Any, ws: NewArrays, dout: float, x: Array, W: Array, e: Array, total: Array, true: Array
) -> tuple[Array | None, ...]:
    return affine_derive(self, ws, dlogits(dout, e, total, true), x, W)


def losses(ws: NewArrays, z: Array, labels: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    """Return one loss per sample, and what the derivative needs.

    z: logits (C, N), overwritten by exp(z - max).
    """
    classes, n = z.shape
    z -= np.maximum.reduce(z, axis=0)
    true = labels * n
    true += indices(n)
    of_true = z.reshape(-1).take(true)
    e = np.exp(z, z)
    total = ones(classes, z.dtype).dot(e)
    out = np.log(total, ws["losses", total.shape])
    out -= of_true
    return out, (e, total, true)


def dlogits(dout: float, e: Array, total: Array, true: Array) -> Array:
    """Return dout · (softmax - one_hot) as (N, C). Overwrites e."""
    share = number(dout, e.dtype)
    e *= share / total
    e.reshape(-1)[true] -= share
    return e.T
