"""The CuPy backend: transfers, synchronization, loops as CUDA graphs, and what can be missing or broken."""

import os
from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

import numpy as np

from backends.cupy import finite, minibatch
from backends.cupy.array import Array
from backends.cupy.cublas import product
from backends.cupy.graph import CapturedLoop
from backends.cupy.launch import OPTIONS, CudaBackend, is_small
from backends.cupy.nccl import library
from backends.dtypes import dtype_name
from backends.errors import BackendUnavailable
from backends.loop import Loop
from backends.precision import current_precision

INSTALL = 'pip install "cupy-cuda12x[ctk]" (CUDA 12) or "cupy-cuda13x[ctk]" (CUDA 13)'
WAY_BACK = 'or choose backend "numpy"'
DLPACK_CUDA = (2, 13)  # device types of DLPack: CUDA, and CUDA managed memory
PIECE = 2**24  # bytes per copy to the device
PROBE = 'extern "C" __global__ void nothing() {}'


class CupyBackend(CudaBackend):
    """CuPy on the current CUDA device. Raises BackendUnavailable without CuPy or a usable GPU."""

    chunk_bytes = 2**28  # large enough to make launch costs negligible, small enough for any GPU
    gathered_at_once = 2**21  # enough for many small batches, few enough for the cache of a GPU
    iterations_at_once = 1000
    samples_at_once = 2**14
    values_at_once = 2**27

    def __init__(self) -> None:
        try:
            import cupy

            has_gpu = cupy.cuda.is_available()
        except Exception as error:  # broken installations raise all kinds of errors
            if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
                raise _unavailable("CuPy is not installed", INSTALL) from None
            reason = f"CuPy cannot be imported ({_one_line(error)})"
            raise _unavailable(reason, f"reinstall: {INSTALL}") from error
        if not has_gpu:
            raise _without_gpu(cupy)
        try:
            # Some installations lack CUDA's headers. There CuPy imports and finds the GPU, but fails at its
            # first kernel.
            cupy.RawModule(code=PROBE, options=OPTIONS).get_function("nothing")
        except Exception as error:
            # A CUDA error has a status. Then the GPU is the cause: full, or reserved by another process.
            cure = "check nvidia-smi" if hasattr(error, "status") else f"reinstall: {INSTALL}"
            raise _unavailable(f"CuPy cannot compile a kernel ({_one_line(error)})", cure) from error
        super().__init__("cupy", cupy)

    def asarray(self, data: Any, dtype: Any = None) -> Array:
        """Return host data or a CuPy array as a CuPy array. Large host arrays are copied piece by piece.

        Why: CuPy stages a copy in page-locked memory of the same size, and then keeps that memory.
        """
        if not isinstance(data, np.ndarray) or data.nbytes <= PIECE:
            return super().asarray(data, dtype)
        array = self.xp.empty(data.shape, self.dtype(data.dtype if dtype is None else dtype))
        source, target = np.asarray(data).reshape(-1), array.reshape(-1)
        size = max(1, PIECE // data.itemsize)
        for start in range(0, data.size, size):
            piece = slice(start, start + size)
            self.write(target[piece], super().asarray(source[piece], array.dtype))
        return array

    def to_numpy(self, array: Array) -> np.ndarray:
        host: np.ndarray = self.xp.asnumpy(array)
        return host

    def host_view(self, array: Array) -> np.ndarray | None:
        return None

    def all_finite(self, array: Array) -> bool:
        if array.dtype != np.float32:
            return super().all_finite(array)
        return finite.all_finite(self, array if _is_contiguous(array) else array.copy())

    def adopt(self, data: Any) -> Array | None:
        device = getattr(data, "__dlpack_device__", None)
        return self.xp.from_dlpack(data) if device and device()[0] in DLPACK_CUDA else None

    def require_current(self, where: str, **arrays: Array) -> None:
        current = self.xp.cuda.runtime.getDevice()
        for name, array in arrays.items():
            if array.device.id != current:
                raise ValueError(
                    f"{where}: {name} must be on the current device, cuda:{current}, got "
                    f"cuda:{array.device.id}; compute inside `with cupy.cuda.Device({array.device.id}):`, or "
                    f"copy the array inside `with cupy.cuda.Device({current}):` with cupy.array(array)"
                )

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

    def pack(self, x: Array) -> Array:
        x = x if _is_contiguous(x) else x.copy()  # once, not for every batch
        return minibatch.pack(self, x) if x.dtype == np.float32 and x.size else x

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Array:
        return self.xp.empty(shape, dtype)

    # Memory that is page-locked, so that copies need no second one.

    def host_memory(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        memory = self.xp.cuda.alloc_pinned_memory(max(1, prod(shape) * np.dtype(dtype).itemsize))
        return np.frombuffer(memory, dtype, prod(shape)).reshape(shape)

    def fetch(self, array: Array, host: np.ndarray) -> None:
        array.get(out=host)

    def put(self, array: Array, host: np.ndarray) -> None:
        array.set(host)

    def nccl(self) -> Any:
        """Return CuPy's module of NCCL. Raises ImportError if CuPy finds no NCCL."""
        return library()

    # Plain memory copies. CuPy's own functions would compile a kernel at their first call.

    def write(self, target: Array, source: Array) -> None:
        if _is_contiguous(target, source):
            target.data.copy_from_device_async(source.data, source.nbytes)
        else:
            super().write(target, source)

    def copy(self, array: Array) -> Array:
        copied = self.xp.empty(array.shape, array.dtype)
        self.write(copied, array)
        return copied

    def concat(self, arrays: list[Array]) -> Array:
        first = arrays[0]
        if not _is_contiguous(*arrays) or any(array.dtype != first.dtype for array in arrays):
            return super().concat(arrays)
        lengths = [array.shape[0] for array in arrays]
        joined, start = self.xp.empty((sum(lengths), *first.shape[1:]), first.dtype), 0
        for array, length in zip(arrays, lengths, strict=True):
            if array.size:
                self.write(joined[start : start + length], array)
            start += length
        return joined

    # ------------------------------------------------------------------------------------------------ loops

    def warmup(self, products: Iterable[tuple[int, int, int]] | None = None) -> None:
        self.kernel("sgd")  # and with it those of nearly every network
        if products is None or not all(is_small(*sizes) for sizes in products):
            one = self.xp.zeros((1, 1), np.float32)
            product(self.xp, one, one, self.xp.empty_like(one))
        self.synchronize()

    def kernel_cache(self) -> str | None:
        return os.environ.get("CUPY_CACHE_DIR") or os.path.expanduser("~/.cupy/kernel_cache")

    def precision(self, dtype: Any) -> str:
        has_tf32 = int(self.xp.cuda.Device().compute_capability) >= 80
        return current_precision() if dtype_name(dtype) == "float32" and has_tf32 else "ieee"

    def why_not_captured(self, dtype: Any) -> str | None:
        if dtype_name(dtype) == "float32":
            return None
        return (
            f"{dtype_name(dtype)} runs the formulas, and CuPy does not allow their products in a CUDA graph"
        )

    def captured(
        self,
        keep: Sequence[Array],
        compare: Sequence[Array],
        why_not: str = "",
        agreed: Callable[[bool], bool] = bool,
    ) -> Loop:
        return Loop(why_not) if why_not else CapturedLoop(self, keep, compare, agreed)


def _is_contiguous(*arrays: Array) -> bool:
    """Return whether all of them are C-contiguous."""
    return all(array.flags.c_contiguous for array in arrays)


def _without_gpu(cupy: Any) -> BackendUnavailable:
    try:
        said = f"{cupy.cuda.runtime.getDeviceCount()} devices"
    except Exception as error:  # CuPy's own error classes are not importable without CuPy
        said = _one_line(error)
    too_old = ": the driver is missing or too old for this CuPy" if "insufficient" in said else ""
    reason = f"CuPy {cupy.__version__} finds no CUDA GPU ({said})"
    return _unavailable(reason, f"check nvidia-smi{too_old}; {INSTALL}")


def _unavailable(reason: str, cure: str) -> BackendUnavailable:
    return BackendUnavailable("cupy", reason, f"{cure}, {WAY_BACK}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
