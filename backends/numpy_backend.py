"""NumPy on the CPU: the generic kernels, and faster twins of those that a training step spends its time in.

Why these idioms (measured at batch 100, 784-50-10): `maximum` is 4 times faster than `where`; the reductions
of the softmax are 3 times faster when they run along the batch than along ten classes; a column sum is
fastest as a product with a row of ones; `numpy.dot` costs less per call than `@`.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from backends.backend import Backend
from backends.kernels import Array

# Others take the generic kernels. Why: NumPy orders complex numbers by their real and then their imaginary
# part, so that its comparisons and maxima, unlike the generic kernels', are not analytic.
REAL = "fd"  # float32, float64


@lru_cache(maxsize=64)
def _ones(size: int, dtype: Any) -> np.ndarray:
    """Ones, made once and read-only, so that sharing them is safe."""
    ones = np.ones(size, dtype)
    ones.flags.writeable = False
    return ones


@lru_cache(maxsize=64)
def _rows(size: int) -> np.ndarray:
    """0, 1, …, size - 1, likewise."""
    rows = np.arange(size)
    rows.flags.writeable = False
    return rows


class NumpyBackend(Backend):
    """NumPy; real arrays take the faster kernels below, complex ones the generic kernels."""

    on_host = True
    scalar_types = (np.float32, np.float64, np.complex64, np.complex128, np.int64)

    def __init__(self) -> None:
        super().__init__("numpy", np, np.ndarray)

    def reshape(self, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return array.reshape(shape)

    def affine(self, x: Array, W: Array, b: Array) -> Array:
        out = np.dot(x, W)
        if out.dtype != b.dtype:
            return out + b
        out += b
        return out

    def affine_backward(
        self,
        dout: Array,
        x: Array,
        W: Array,
        dW: Array | None = None,
        db: Array | None = None,
        needs_dx: bool = True,
    ) -> tuple[Array | None, Array, Array]:
        ones = _ones(dout.shape[0], dout.dtype)
        dx = np.dot(dout, W.T) if needs_dx else None
        return dx, np.dot(x.T, dout, out=dW), np.dot(ones, dout, out=db)

    def relu(self, x: Array) -> Array:
        if x.dtype.char not in REAL:
            return super().relu(x)
        return np.maximum(x, 0.0)

    def relu_backward(self, dout: Array, out: Array) -> Array:
        if out.dtype.char not in REAL:
            return super().relu_backward(dout, out)
        return dout * (out > 0)  # an infinite dout gives NaN where out is 0: such a run is lost anyway

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, derivative: bool = True
    ) -> tuple[Array, Array | None]:
        if logits.dtype.char not in REAL:
            return super().softmax_cross_entropy(logits, labels, derivative)
        n, classes = logits.shape
        rows = _rows(n)
        z = np.array(logits.T, order="C")
        z -= z.max(axis=0)
        of_true_class = z[labels, rows]
        e = np.exp(z, out=z)
        total = np.dot(_ones(classes, z.dtype), e)
        losses = np.log(total) - of_true_class
        if not derivative:
            return losses, None
        e *= (1.0 / n) / total
        e[labels, rows] -= 1.0 / n
        return losses, e.T
