"""CuPy on a CUDA GPU: arrays in and out, waiting, loops as CUDA graphs, and what may be missing or wrong."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from backends.cublas import cublas
from backends.cuda_graph import CapturedLoop
from backends.cuda_kernels import OPTIONS, CudaBackend, is_contiguous, is_small
from backends.dtypes import dtype_name
from backends.errors import BackendUnavailable
from backends.kernels import Array
from backends.precision import current_precision

INSTALL = 'pip install "cupy-cuda12x[ctk]" for a CUDA 12 driver or "cupy-cuda13x[ctk]" for CUDA 13'
WAY_BACK = "or compute on the CPU: BACKPROP_BACKEND=numpy"
DLPACK_CUDA = (2, 13)  # device types of DLPack: CUDA, and CUDA managed memory
PIECE = 2**24  # bytes that are copied to the device at once
PROBE = 'extern "C" __global__ void nothing() {}'


class CupyBackend(CudaBackend):
    """CuPy on the current CUDA device.  Raises BackendUnavailable where there is no CuPy or no usable GPU."""

    chunk_bytes = 2**28  # large enough for launches not to count, small enough for any GPU
    prefers_copies = True
    iterations_at_once = 1000
    samples_at_once = 2**14

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
            raise _without_gpu(cupy)
        try:
            # Why: without CUDA's headers, which some installations lack, CuPy imports and finds the GPU, and
            # fails at its first kernel.
            cupy.RawModule(code=PROBE, options=OPTIONS).get_function("nothing")
        except Exception as error:
            raise _cannot_compile(error) from error
        super().__init__("cupy", cupy)

    def asarray(self, data: Any, dtype: Any = None) -> Array:
        """Host data, or an array of CuPy, as one of CuPy.  Large host arrays are copied piece by piece.

        Why: CuPy copies through page-locked memory of the same size, and keeps that for the next time.
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
                    f"copy the array inside `with cupy.cuda.Device({current}):` by cupy.array(array)"
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

    # Copies of memory, where CuPy's own functions would compile a kernel when first called.

    def write(self, target: Array, source: Array) -> None:
        if is_contiguous(target, source):
            target.data.copy_from_device_async(source.data, source.nbytes)
        else:
            super().write(target, source)

    def copy(self, array: Array) -> Array:
        copied = self.xp.empty(array.shape, array.dtype)
        self.write(copied, array)
        return copied

    def concat(self, arrays: list[Array]) -> Array:
        first = arrays[0]
        if not is_contiguous(*arrays) or any(array.dtype != first.dtype for array in arrays):
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
        self._kernel("sgd")  # they are compiled together
        if products is None or not all(is_small(*sizes) for sizes in products):
            one = self.xp.zeros((1, 1), np.float32)
            cublas(self.xp).product(one, one, self.xp.empty_like(one))
        self.synchronize()

    def kernel_cache(self) -> str | None:
        return os.environ.get("CUPY_CACHE_DIR") or os.path.expanduser("~/.cupy/kernel_cache")

    def precision(self, dtype: Any) -> str:
        has_tf32 = int(self.xp.cuda.Device().compute_capability) >= 80
        return current_precision() if dtype_name(dtype) == "float32" and has_tf32 else "ieee"

    def why_not_captured(self, dtype: Any) -> str | None:
        if dtype_name(dtype) == "float32":
            return None
        return f"{dtype_name(dtype)} takes the generic kernels, whose products CuPy does not let a graph hold"

    def loop(
        self, step: Callable[[int], None], keep: Sequence[Array] = (), capture: bool = True
    ) -> Callable[[int], None]:
        return CapturedLoop(self, step, keep) if capture else super().loop(step, keep)


def _without_gpu(cupy: Any) -> BackendUnavailable:
    try:
        said = f"{cupy.cuda.runtime.getDeviceCount()} devices"
    except Exception as error:  # CuPy's own error classes are not importable without CuPy
        said = _one_line(error)
    too_old = ", if the driver is missing or too old for this CuPy" if "insufficient" in said else ""
    cure = f"see what nvidia-smi says{too_old}; {INSTALL}, {WAY_BACK}"
    return BackendUnavailable("cupy", f"CuPy {cupy.__version__} finds no CUDA GPU ({said})", cure)


def _broken(error: Exception) -> BackendUnavailable:
    return BackendUnavailable(
        "cupy", f"CuPy does not import ({_one_line(error)})", f"reinstall: {INSTALL}, {WAY_BACK}"
    )


def _cannot_compile(error: Exception) -> BackendUnavailable:
    """With an error of CUDA, which has a status, the GPU is at fault: full, say, or reserved by a process."""
    cure = "see what nvidia-smi says" if hasattr(error, "status") else f"reinstall: {INSTALL}"
    return BackendUnavailable(
        "cupy", f"CuPy cannot compile a kernel ({_one_line(error)})", f"{cure}, {WAY_BACK}"
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
