"""Softmax with loss, alone and after an Affine.

One kernel computes the losses and the derivative of their mean, which nearly every backward needs.
"""

from typing import Any

import numpy as np

from backends.cupy.affine import as_rows, backward
from backends.cupy.array import Array
from backends.cupy.cublas import product
from backends.cupy.launch import is_small, kernel_twin, warps
from backends.cupy.mean_squared_error import scaled

MOST_CLASSES = 1024  # as in the kernel


@kernel_twin("SoftmaxCrossEntropy.compute")
def softmax_cross_entropy(self: Any, ws: Any, z: Array, targets: Array) -> tuple[Array, tuple[Array, ...]]:
    losses, dz = ws["losses", z.shape[:1]], ws["dz", z.shape]
    _losses_of_rows(self, ws, z, None, targets, losses, dz)
    return losses, (dz,)


@kernel_twin("SoftmaxCrossEntropy.derive")
def softmax_cross_entropy_derive(self: Any, ws: Any, dout: float, dz: Array) -> Array:
    return scaled(dout, dz)


@kernel_twin("SoftmaxCrossEntropy.correct")
def softmax_cross_entropy_correct(self: Any, ws: Any, z: Array, targets: Array) -> Array:
    n, classes = z.shape
    right = ws["correct", (n,), np.bool_]
    counts = np.int64(n), np.int32(classes)
    ws.backend.launch("correct", warps(n), z, *_labels_and_soft(targets), right, *counts)
    return right


@kernel_twin("Affine+SoftmaxCrossEntropy.compute")
def affine_softmax_cross_entropy(
    layers: Any, ws: Any, x: Array, targets: Array, W: Array, b: Array
) -> tuple[Array, tuple[Array, ...]]:
    (_, loss), rows = layers, as_rows(x, W)
    (n, d), classes = rows.shape, W.shape[1]
    losses, dz, dx = ws["losses", (n,)], ws["dz", (n, classes)], None
    if is_small(n, d, classes) and classes <= MOST_CLASSES:
        dx = ws["dx", x.shape] if ws.needs_dx else None
        arguments = rows, W, b, *_arguments(loss, targets, classes), losses, dz, dx
        counts = np.int32(n), np.int32(d), np.int32(classes)
        ws.backend.launch("affine_softmax_cross_entropy", n, *arguments, *counts)
    else:
        _losses_of_rows(loss, ws, product(ws.backend.xp, rows, W, dz), b, targets, losses, dz)
    return losses, (x, W, dz, dx)


@kernel_twin("Affine+SoftmaxCrossEntropy.derive")
def affine_softmax_cross_entropy_derive(
    layers: Any, ws: Any, dout: float, x: Array, W: Array, dz: Array, dx: Array | None
) -> tuple[Array | None, ...]:
    of_losses = scaled(dout, dz)
    return backward(ws, of_losses, None, x, W, dx if of_losses is dz else None)


def _losses_of_rows(
    loss: Any, ws: Any, z: Array, b: Array | None, targets: Array, losses: Array, dz: Array
) -> None:
    """Write the losses of logits z + b, and the derivative of their mean.  dz may be z."""
    n, classes = z.shape
    arguments = z, b, *_arguments(loss, targets, classes), losses, dz
    ws.backend.launch("softmax_cross_entropy", warps(n), *arguments, np.int64(n), np.int32(classes))


def _arguments(loss: Any, targets: Array, classes: int) -> tuple[Any, ...]:
    """Return the targets as arguments of a kernel: labels, soft, keep, spread."""
    s = loss.label_smoothing
    return *_labels_and_soft(targets), np.float32(1.0 - s), np.float32(s / classes)


def _labels_and_soft(targets: Array) -> tuple[Array | None, Array | None]:
    """Return labels and None, or None and soft targets."""
    return (targets, None) if targets.ndim == 1 else (None, targets)
