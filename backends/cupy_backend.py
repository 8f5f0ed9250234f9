"""CuPy on a CUDA GPU: arrays in and out, waiting, and the generic kernels.

The generic kernels never wait for the device: no boolean-mask assignment, no reading of a value. Fused CUDA
kernels are to override them here, one by one, each beside its twin in `kernels.py`; a captured loop is
to override `loop`.
"""

from typing import Any

import numpy as np

from backends.backend import Backend
from backends.errors import BackendUnavailable
from backends.kernels import Array

INSTALL = 'pip install "cupy-cuda12x[ctk]" for a CUDA 12 driver or "cupy-cuda13x[ctk]" for CUDA 13'
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
