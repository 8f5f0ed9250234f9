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
    self: Any, ws: NewArrays, z: Array, targets: Array
) -> tuple[Array, tuple[Array, ...]]:
    transposed = ws["z", z.shape[::-1]]
    transposed[...] = z.T
    return losses(self, ws, transposed, targets)


@twin("numpy", "SoftmaxCrossEntropy.derive")
def softmax_cross_entropy_derive(
    self: Any, ws: NewArrays, dout: float, e: Array, total: Array, t: Array
) -> Array:
    return dlogits(self, dout, e, total, t)


@twin("numpy", "Affine+SoftmaxCrossEntropy.compute")
def affine_softmax_cross_entropy(
    layers: Any, ws: NewArrays, x: Array, targets: Array, W: Array, b: Array
) -> tuple[Array, tuple[Array, ...]]:
    rows = x if x.ndim == 2 else x.reshape(len(x), -1)
    z = W.T.dot(rows.T, ws["z", (len(b), len(x))])
    z += b[:, None]
    out, saved = losses(layers[1], ws, z, targets)
    return out, (x, W, *saved)


@twin("numpy", "Affine+SoftmaxCrossEntropy.derive")
def affine_softmax_cross_entropy_derive(
    layers: Any, ws: NewArrays, dout: float, x: Array, W: Array, e: Array, total: Array, t: Array
) -> tuple[Array | None, ...]:
    return affine_derive(layers[0], ws, dlogits(layers[1], dout, e, total, t), x, W)


def losses(loss: Any, ws: NewArrays, z: Array, targets: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    """Return one loss per sample, and what the derivative needs.

    z: logits (C, N), overwritten by exp(z - max).
    """
    classes, n = z.shape
    z -= np.maximum.reduce(z, axis=0)
    s = loss.label_smoothing
    rest = number(s / classes, z.dtype)
    if targets.ndim == 1:
        t = targets * n
        t += indices(n)
        expected = z.reshape(-1).take(t)
        if rest:  # the products are summed, not the logits, whose sum may overflow
            expected *= number(1.0 - s, z.dtype)
            expected += (rest * ones(classes, z.dtype)).dot(z)
    else:
        t = smoothed(ws, targets, s)
        expected = ones(classes, z.dtype).dot(products(ws, t, z))
    e = np.exp(z, z)
    total = ones(classes, z.dtype).dot(e)
    out = np.log(total, ws["losses", total.shape])
    out -= expected
    return out, (e, total, t)


def smoothed(ws: NewArrays, targets: Array, s: float) -> Array:
    """Return soft targets as (C, N), with the share s of each divided among all classes."""
    t: Array = np.multiply(targets.T, number(1.0 - s, targets.dtype), ws["t", targets.shape[::-1]])
    t += number(s / len(t), t.dtype)
    return t


def products(ws: NewArrays, t: Array, z: Array) -> Array:
    """Return t z, which is 0 where t is 0, even for an infinite z."""
    out: Array = ws["tz", t.shape]
    out.fill(0.0)
    np.multiply(t, z, out, where=t > number(0.0, t.dtype))
    return out


def dlogits(loss: Any, dout: float, e: Array, total: Array, t: Array) -> Array:
    """Return dout · (softmax - distribution) as (N, C). Overwrites e, and t if it is the distribution.

    t: the distribution (C, N), or for labels the index of each in e read as one row, (N,).
    """
    share, s = number(dout, e.dtype), loss.label_smoothing
    e *= share / total
    if t.ndim == 1:
        if s:
            e -= number(dout * s / len(e), e.dtype)
        e.reshape(-1)[t] -= number(dout * (1.0 - s), e.dtype)
    else:
        t *= share
        e -= t
    return e.T
