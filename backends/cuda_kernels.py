"""The kernels of kernels.cu as a backend's: which of them computes what, and with how many threads.

They are for float32 and C-contiguous arrays; others take the generic kernels, which never wait for the device
either: no boolean-mask assignment, no reading of a value.
"""

from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from backends.backend import Backend
from backends.cublas import cublas
from backends.kernels import Array

SOURCE = Path(__file__).with_name("kernels.cu")
OPTIONS = ("-std=c++17",)
THREADS = 256  # a block
MOST_BLOCKS = 4096  # of a grid whose threads take several items
TILE = 8  # as in kernels.cu
# Multiply-adds up to which a product is computed by our own kernels, with all that goes with it in one
# launch; beyond, cuBLAS is faster. Not measured yet: a guess from the launches that it saves.
SMALL = 2**23
DEEP = 1024  # summands up to which that holds: a tile has all of them
ROWS = 256  # that a block sums


class CudaBackend(Backend):
    """A backend over a namespace like CuPy's, whose kernels are those of kernels.cu where they can be."""

    def __init__(self, name: str, cupy: Any) -> None:
        super().__init__(name, cupy, cupy.ndarray)
        module = cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=OPTIONS)
        self._kernel = cache(module.get_function)  # compiled when first asked for, on each device

    def affine(self, x: Array, W: Array, b: Array, out: Array | None = None) -> Array:
        if not _is_float32(x, W, b, out):
            return super().affine(x, W, b, out)
        return self._affine(x, W, b, out, rectified=False)

    def affine_relu(self, x: Array, W: Array, b: Array, out: Array | None = None) -> Array:
        if not _is_float32(x, W, b, out):
            return super().affine_relu(x, W, b, out)
        return self._affine(x, W, b, out, rectified=True)

    def affine_backward(
        self,
        dout: Array,
        x: Array,
        W: Array,
        dW: Array | None = None,
        db: Array | None = None,
        dx: Array | None = None,
        needs_dx: bool = True,
    ) -> tuple[Array | None, Array, Array]:
        if not _is_float32(dout, x, W, dW, db, dx):
            return super().affine_backward(dout, x, W, dW, db, dx, needs_dx)
        return self._affine_backward(dout, None, x, W, dW, db, dx, None, needs_dx)

    def affine_relu_backward(
        self,
        dout: Array,
        out: Array,
        x: Array,
        W: Array,
        dW: Array | None = None,
        db: Array | None = None,
        dx: Array | None = None,
        dz: Array | None = None,
        needs_dx: bool = True,
    ) -> tuple[Array | None, Array, Array]:
        if not _is_float32(dout, out, x, W, dW, db, dx, dz):
            return super().affine_relu_backward(dout, out, x, W, dW, db, dx, dz, needs_dx)
        return self._affine_backward(dout, out, x, W, dW, db, dx, dz, needs_dx)

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, seed: float = 1.0, losses: Array | None = None
    ) -> tuple[Array, Array | None]:
        if not _is_float32(logits, losses) or labels.dtype != np.int64:
            return super().softmax_cross_entropy(logits, labels, seed, losses)
        dz = self._new(logits.shape) if seed else logits  # unless there is a seed, it is not written
        return self._softmax_cross_entropy(logits, None, labels, seed, dz, losses)

    def affine_softmax_cross_entropy(
        self,
        x: Array,
        W: Array,
        b: Array,
        labels: Array,
        seed: float = 1.0,
        dz: Array | None = None,
        losses: Array | None = None,
    ) -> tuple[Array, Array | None]:
        if not _is_float32(x, W, b, dz, losses) or labels.dtype != np.int64:
            return super().affine_softmax_cross_entropy(x, W, b, labels, seed, dz, losses)
        (n, d), classes = x.shape, W.shape[1]
        dz = self._new((n, classes)) if dz is None else dz
        if not is_small(n, d, classes):
            return self._softmax_cross_entropy(self._product(x, W, dz), b, labels, seed, dz, losses)
        losses = self._new((n,)) if losses is None else losses
        counts = np.int32(n), np.int32(d), np.int32(classes), np.float32(seed)
        self._launch("affine_softmax_cross_entropy", n, x, W, b, labels, losses, dz, *counts)
        return losses, dz if seed else None

    def gather(self, array: Array, indices: Array, out: Array | None = None) -> Array:
        row_bytes = prod(array.shape[1:]) * array.dtype.itemsize
        if (
            row_bytes % 4
            or indices.dtype != np.int64
            or not is_contiguous(array, indices, out)
            or any(a is not None and a.data.ptr % 4 for a in (array, out))  # a view may begin anywhere
        ):
            return super().gather(array, indices, out)
        if out is None:
            out = self.xp.empty((indices.shape[0], *array.shape[1:]), array.dtype)
        words, size = row_bytes // 4, indices.shape[0] * row_bytes // 4
        source, target = (self.reshape(a, (-1,)).view(np.uint32) for a in (array, out))
        self._each("gather", size, source, indices, target, np.int64(indices.shape[0]), np.int64(words))
        return out

    def minibatch(self, x: Array, labels: Array, batch: Array, x_out: Array, labels_out: Array) -> None:
        integers = labels, batch, labels_out
        if (
            not _is_float32(x_out)
            or x.dtype not in (np.float32, np.uint8)
            or not is_contiguous(x, *integers)
            or any(array.dtype != np.int64 for array in integers)
        ):
            super().minibatch(x, labels, batch, x_out, labels_out)
            return
        name = "minibatch" if x.dtype == np.float32 else "minibatch_of_bytes"
        width = np.int64(prod(x.shape[1:]))
        self._launch(name, batch.shape[0], x, labels, batch, x_out, labels_out, width)

    def sgd(self, parameters: Array, gradients: Array, learning_rate: float | Array) -> None:
        on_device = learning_rate if isinstance(learning_rate, self.xp.ndarray) else None
        if not _is_float32(parameters, gradients, on_device):
            super().sgd(parameters, gradients, learning_rate)
            return
        size, rate = parameters.size, np.float32(1.0 if on_device is not None else learning_rate)
        self._each("sgd", size, parameters, gradients, rate, on_device, np.int64(size))

    def count_correct(self, logits: Array, labels: Array) -> Array:
        if not _is_float32(logits) or labels.dtype != np.int64:
            return super().count_correct(logits, labels)
        n, classes = logits.shape
        count = self.xp.zeros((), np.int64)
        rows = -(-n * 32 // THREADS)  # a warp has a row
        self._launch("count_correct", rows, logits, labels, count, np.int64(n), np.int32(classes))
        return count

    def pack(self, x: Array) -> Array:
        if not _is_float32(x) or not x.size:
            return x
        packed, differ = self.xp.empty(x.shape, np.uint8), self.xp.zeros((1,), np.int32)
        self._each("to_bytes", x.size, x, packed, differ, np.int64(x.size))
        return x if self.to_numpy(differ)[0] else packed

    # ---------------------------------------------------------------------- by our own kernels, or by cuBLAS

    def _affine(self, x: Array, W: Array, b: Array, out: Array | None, rectified: bool) -> Array:
        (n, d), m = x.shape, W.shape[1]
        out = self._new((n, m)) if out is None else out
        if is_small(n, d, m):
            counts = np.int32(n), np.int32(d), np.int32(m), np.int32(rectified)
            self._launch("affine", _tiles(n, m), x, W, b, out, *counts)
        else:
            self._product(x, W, out)
            self._launch("add_bias", n, out, b, np.int64(m), np.int32(rectified))
        return out

    def _affine_backward(
        self,
        dout: Array,
        out: Array | None,
        x: Array,
        W: Array,
        dW: Array | None,
        db: Array | None,
        dx: Array | None,
        dz: Array | None,
        needs_dx: bool,
    ) -> tuple[Array | None, Array, Array]:
        """The backward of x W + b, with a ReLU behind it if there is an `out`, its output."""
        (n, d), m = x.shape, W.shape[1]
        dW = self._new((d, m)) if dW is None else dW
        db = self._new((m,)) if db is None else db
        if needs_dx and dx is None:
            dx = self._new((n, d))
        dx = dx if needs_dx else None
        if is_small(n, d, m):
            blocks = _tiles(d + 1, m) + (_tiles(n, d) if needs_dx else 0)
            counts = np.int32(n), np.int32(d), np.int32(m)
            self._launch("affine_backward", blocks, dout, out, x, W, dW, db, dx, *counts)
            return dx, dW, db
        if out is None:
            dz = dout
        elif dz is None:
            dz = self._new(dout.shape)
        self._bias_backward(dout, out, dz, db)
        if dx is not None:
            self._product(dz, W.T, dx)
        return dx, self._product(x.T, dz, dW), db

    def _bias_backward(self, dout: Array, out: Array | None, dz: Array, db: Array) -> None:
        """dz = dout, where out > 0 if there is an out, else 0; db = the sums of its columns.

        Many rows are summed in parts, and then the parts.
        """
        n, m = dout.shape
        parts = -(-n // ROWS)
        sums = self._new((parts, m)) if parts > 1 else db
        counts = np.int64(n), np.int64(m), np.int64(ROWS)
        self._launch("bias_backward", -(-m // 32) * parts, dout, out, dz, sums, *counts, block=(32, 8))
        if parts > 1:
            self._bias_backward(sums, None, sums, db)

    def _softmax_cross_entropy(
        self, z: Array, b: Array | None, labels: Array, seed: float, dz: Array, losses: Array | None
    ) -> tuple[Array, Array | None]:
        n, classes = z.shape
        losses = self._new((n,)) if losses is None else losses
        rows = -(-n * 32 // THREADS)  # a warp has a row
        counts = np.int64(n), np.int32(classes), np.float32(seed)
        self._launch("softmax_cross_entropy", rows, z, b, labels, losses, dz, *counts)
        return losses, dz if seed else None

    def _product(self, a: Array, b: Array, out: Array) -> Array:
        """a b by cuBLAS.  a, b: float32, each C-contiguous or the transpose of such."""
        return cublas(self.xp).product(a, b, out)

    def _new(self, shape: tuple[int, ...]) -> Array:
        return self.xp.empty(shape, np.float32)

    def _each(self, name: str, size: int, *arguments: Any) -> None:
        """Launch a kernel whose threads take `size` items between them."""
        self._launch(name, min(-(-size // THREADS), MOST_BLOCKS), *arguments)

    def _launch(self, name: str, blocks: int, *arguments: Any, block: tuple[int, ...] = (THREADS,)) -> None:
        """Launch a kernel.  None among the arguments is a null pointer."""
        if blocks:
            pointers = tuple(_NULL if argument is None else argument for argument in arguments)
            self._kernel(name)((blocks,), block, pointers)


_NULL = np.uintp(0)


def _tiles(m: int, n: int) -> int:
    return -(-m // TILE) * -(-n // TILE)


def is_small(n: int, d: int, m: int) -> bool:
    """Whether our own kernels compute the products of a layer, (n, d) with (d, m), rather than cuBLAS."""
    return n * d * m <= SMALL and max(n, d) <= DEEP


def is_contiguous(*arrays: Array | None) -> bool:
    """Whether all of them are C-contiguous; None is left out."""
    return all(array is None or array.flags.c_contiguous for array in arrays)


def _is_float32(*arrays: Array | None) -> bool:
    """Whether the kernels of kernels.cu can take these: float32 and C-contiguous; None is left out."""
    return is_contiguous(*arrays) and all(array is None or array.dtype == np.float32 for array in arrays)
