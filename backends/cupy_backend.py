"""CuPy on a CUDA GPU: arrays in and out, waiting, and the kernels of kernels.cu.

Those are for float32; other dtypes take the generic kernels, which never wait for the device either: no
boolean-mask assignment, no reading of a value. A captured loop is to override `loop`.
"""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from backends.backend import Backend
from backends.errors import BackendUnavailable
from backends.kernels import Array

INSTALL = 'pip install "cupy-cuda12x[ctk]" for a CUDA 12 driver or "cupy-cuda13x[ctk]" for CUDA 13'
SOURCE = Path(__file__).with_name("kernels.cu")
THREADS = 256  # a block
MOST_BLOCKS = 4096  # of a grid whose threads take several items
WAY_BACK = "or compute on the CPU: BACKPROP_BACKEND=numpy"


class CupyBackend(Backend):
    """CuPy on the current CUDA device.  Raises BackendUnavailable where there is no CuPy or no usable GPU."""

    chunk_bytes = 2**28  # large enough for launches not to count, small enough for any GPU
    prefers_copies = True

    def __init__(self) -> None:
        try:
            import cupy

            has_gpu = cupy.cuda.is_available()
        except ModuleNotFoundError as error:
            if error.name != "cupy":
                raise _broken(error) from error
            raise BackendUnavailable("cupy", "CuPy is not installed", f"{INSTALL}, {WAY_BACK}") from None
        except Exception as error:  # a broken installation fails in many ways
            raise _broken(error) from error
        if not has_gpu:
            reason = f"CuPy {cupy.__version__} finds no CUDA GPU ({_why_no_device(cupy)})"
            raise BackendUnavailable("cupy", reason, f"see what nvidia-smi says; {INSTALL}, {WAY_BACK}")
        super().__init__("cupy", cupy, cupy.ndarray)
        self._module = cupy.RawModule(code=SOURCE.read_text())  # compiled at its first use

    def to_numpy(self, array: Array) -> np.ndarray:
        host: np.ndarray = self.xp.asnumpy(array)
        return host

    def host_view(self, array: Array) -> np.ndarray | None:
        return None

    def synchronize(self) -> None:
        self.xp.cuda.get_current_stream().synchronize()

    def device(self) -> str:
        number = self.xp.cuda.Device().id
        name = self.xp.cuda.runtime.getDeviceProperties(number)["name"].decode()
        return f"cuda:{number} {name}"

    def versions(self) -> dict[str, str]:
        runtime = self.xp.cuda.runtime
        return {
            **super().versions(),
            "cuda runtime": str(runtime.runtimeGetVersion()),
            "cuda driver": str(runtime.driverGetVersion()),
        }

    # ---------------------------------------------------------------------------------------------- kernels

    def affine(self, x: Array, W: Array, b: Array, out: Array | None = None) -> Array:
        if not _is_float32(x, W, b, out):
            return super().affine(x, W, b, out)
        out = self._product(x, W, out)
        out += b
        return out

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
        _, db = self._bias_backward(dout, None, None, db)
        dx = self._product(dout, W.T, dx) if needs_dx else None
        return dx, self._product(x.T, dout, dW), db

    def affine_relu(self, x: Array, W: Array, b: Array, out: Array | None = None) -> Array:
        if not _is_float32(x, W, b, out):
            return super().affine_relu(x, W, b, out)
        out = self._product(x, W, out)
        self._each("bias_relu", out.size, out, b, np.int64(out.size), np.int64(out.shape[1]))
        return out

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
        dz, db = self._bias_backward(dout, out, dz, db)
        dx = self._product(dz, W.T, dx) if needs_dx else None
        return dx, self._product(x.T, dz, dW), db

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, seed: float = 1.0
    ) -> tuple[Array, Array | None]:
        if not _is_float32(logits) or labels.dtype != np.int64:
            return super().softmax_cross_entropy(logits, labels, seed)
        return self._losses(logits, None, labels, seed, None)

    def affine_softmax_cross_entropy(
        self,
        x: Array,
        W: Array,
        b: Array,
        labels: Array,
        seed: float = 1.0,
        dz: Array | None = None,
    ) -> tuple[Array, Array | None]:
        if not _is_float32(x, W, b, dz) or labels.dtype != np.int64:
            return super().affine_softmax_cross_entropy(x, W, b, labels, seed, dz)
        z = self._product(x, W, dz)
        return self._losses(z, b, labels, seed, z)

    def gather(self, array: Array, indices: Array, out: Array | None = None) -> Array:
        row_bytes = prod(array.shape[1:]) * array.dtype.itemsize
        if row_bytes % 4 or not _is_contiguous(array, indices, out) or indices.dtype != np.int64:
            return super().gather(array, indices, out)
        if out is None:
            out = self.xp.empty((indices.shape[0], *array.shape[1:]), array.dtype)
        words, size = row_bytes // 4, indices.shape[0] * row_bytes // 4
        source, target = (self.reshape(a, (-1,)).view(np.uint32) for a in (array, out))
        self._each("gather", size, source, indices, target, np.int64(indices.shape[0]), np.int64(words))
        return out

    def sgd(self, parameters: Array, gradients: Array, learning_rate: float) -> None:
        if not _is_float32(parameters, gradients):
            super().sgd(parameters, gradients, learning_rate)
            return
        size = parameters.size
        self._each("sgd", size, parameters, gradients, np.float32(learning_rate), np.int64(size))

    def _product(self, a: Array, b: Array, out: Array | None) -> Array:
        return a @ b if out is None else self.xp.matmul(a, b, out=out)

    def _bias_backward(
        self, dout: Array, out: Array | None, dz: Array | None, db: Array | None
    ) -> tuple[Array, Array]:
        """dz = dout where out > 0, or dout itself without an out, and the sums of its columns."""
        (n, m), xp = dout.shape, self.xp
        db = xp.empty((m,), np.float32) if db is None else db
        if out is not None and dz is None:
            dz = xp.empty(dout.shape, np.float32)
        arrays = (dout, dout, dout, db) if out is None else (dout, out, dz, db)
        counts = np.int64(n), np.int64(m), np.int32(out is not None)
        self._launch("bias_backward", -(-m // 32), (32, 8), *arrays, *counts)
        return dz, db

    def _losses(
        self, z: Array, b: Array | None, labels: Array, seed: float, dz: Array | None
    ) -> tuple[Array, Array | None]:
        n, classes = z.shape
        losses = self.xp.empty((n,), np.float32)
        if dz is None:
            dz = self.xp.empty(z.shape, np.float32) if seed else z
        counts = np.int64(n), np.int32(classes), np.float32(seed)
        bias = np.uintp(0) if b is None else b
        blocks = -(-n * 32 // THREADS)  # a warp has a row
        self._launch("softmax_cross_entropy", blocks, (THREADS,), z, bias, labels, losses, dz, *counts)
        return losses, dz if seed else None

    def _each(self, name: str, size: int, *arguments: Any) -> None:
        """Launch a kernel whose threads take `size` items between them."""
        self._launch(name, min(-(-size // THREADS), MOST_BLOCKS), (THREADS,), *arguments)

    def _launch(self, name: str, blocks: int, block: tuple[int, ...], *arguments: Any) -> None:
        if blocks:
            self._module.get_function(name)((blocks,), block, arguments)


def _is_contiguous(*arrays: Array | None) -> bool:
    return all(array is None or array.flags.c_contiguous for array in arrays)


def _is_float32(*arrays: Array | None) -> bool:
    """Whether the kernels of kernels.cu can take these: float32 and C-contiguous; None is left out."""
    return _is_contiguous(*arrays) and all(array is None or array.dtype == np.float32 for array in arrays)


def _why_no_device(cupy: Any) -> str:
    """What the CUDA runtime says when asked for its devices."""
    try:
        return f"{cupy.cuda.runtime.getDeviceCount()} devices"
    except Exception as error:  # CuPy's own error classes are not importable without CuPy
        return _one_line(error)


def _broken(error: Exception) -> BackendUnavailable:
    return BackendUnavailable(
        "cupy", f"CuPy does not import ({_one_line(error)})", f"reinstall: {INSTALL}, {WAY_BACK}"
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
