"""cuBLAS products of float32 matrices through ctypes, which CUDA graphs can capture.

Why not CuPy's: it refuses its own cuBLAS calls during a capture, although cuBLAS allows them.
Why no other binding: only six functions are needed, and GPU tests need no further package.
"""

import ctypes
import sys
import threading
from typing import Any

from backends.cupy.array import Array
from backends.errors import BackendUnavailable
from backends.precision import current_precision

# Bytes, as NVIDIA recommends for its largest GPUs. The size may affect the choice of algorithm.
WORKSPACE = 2**25
MATH_MODES = {"ieee": 0, "tf32": 3}  # CUBLAS_DEFAULT_MATH, CUBLAS_TF32_TENSOR_OP_MATH
ALLOCATION_FAILED = 3
STATUS = {1: "not initialized", 3: "allocation failed", 7: "invalid value", 8: "architecture mismatch"}
STATUS |= {11: "mapping error", 13: "execution failed", 14: "internal error", 15: "not supported"}

_pointer, _int = ctypes.c_void_p, ctypes.c_int
_matrix = [_pointer, _int]  # address and leading dimension
SIGNATURES: dict[str, list[Any]] = {
    "cublasCreate_v2": [_pointer],
    "cublasDestroy_v2": [_pointer],
    "cublasSetStream_v2": [_pointer, _pointer],
    "cublasSetWorkspace_v2": [_pointer, _pointer, ctypes.c_size_t],
    "cublasSetMathMode": [_pointer, _int],
    # handle; transpose A, transpose B, m, n, k; alpha; A; B; beta; C
    "cublasSgemm_v2": [_pointer, *[_int] * 5, _pointer, *_matrix, *_matrix, _pointer, *_matrix],
}


class Cublas:
    """A cuBLAS handle for one thread and one device.

    It is created at the first product and destroyed with the thread.  cupy: the module.  library: the
    loaded libcublas.
    """

    def __init__(self, cupy: Any, library: Any) -> None:
        self._cupy, self._library = cupy, library
        self._handle, self._stream, self._mode = ctypes.c_void_p(), None, "ieee"
        self._workspace: Array | None = None
        self._one, self._zero = ctypes.c_float(1.0), ctypes.c_float(0.0)
        self._alpha, self._beta = ctypes.addressof(self._one), ctypes.addressof(self._zero)
        _check(library.cublasCreate_v2(ctypes.addressof(self._handle)))

    def __del__(self) -> None:
        if not sys.is_finalizing():  # at interpreter exit CUDA may be gone already
            self._library.cublasDestroy_v2(self._handle)

    def product(self, a: Array, b: Array, out: Array) -> Array:
        """Write a b into out and return it.

        a: (M, K), b: (K, N): C-contiguous or the transpose of such.  out: C-contiguous.
        """
        if 0 in out.shape:
            return out
        self._update_settings()
        # cuBLAS is column-major, so it computes outᵀ = bᵀ aᵀ. It reads a C-contiguous b as bᵀ already.
        (m, k), n = a.shape, b.shape[1]
        a_transposed, b_transposed = not a.flags.c_contiguous, not b.flags.c_contiguous
        sizes = b_transposed, a_transposed, n, m, k
        left, right = (b.data.ptr, k if b_transposed else n), (a.data.ptr, m if a_transposed else k)
        scaled = *sizes, self._alpha, *left, *right, self._beta
        _check(self._library.cublasSgemm_v2(self._handle, *scaled, out.data.ptr, n))
        return out

    def forget_workspace(self) -> None:
        """Return the workspace to its pool. The next product allocates one from the pool current then."""
        self._stream = self._workspace = None

    def _update_settings(self) -> None:
        """Use the current stream and precision.

        Each stream has its own workspace, from the current allocator. During a capture that is the
        graph's private pool, so no other product writes where a replay does.
        """
        stream = self._cupy.cuda.get_current_stream().ptr
        if stream != self._stream:
            workspace = self._cupy.empty((WORKSPACE,), "uint8")
            self._stream = None  # unknown if one of these fails
            _check(self._library.cublasSetStream_v2(self._handle, stream))  # it resets the workspace
            _check(self._library.cublasSetWorkspace_v2(self._handle, workspace.data.ptr, WORKSPACE))
            self._stream, self._workspace = stream, workspace
        mode = current_precision()
        if mode != self._mode:
            _check(self._library.cublasSetMathMode(self._handle, MATH_MODES[mode]))
            self._mode = mode


_of_thread = threading.local()


def product(cupy: Any, a: Array, b: Array, out: Array) -> Array:
    """Write a b into out by cuBLAS and return it.

    a, b: float32, C-contiguous or the transpose of such.  out: C-contiguous.
    """
    return cublas(cupy).product(a, b, out)


def cublas(cupy: Any) -> Cublas:
    """Return this thread's handle for the current device."""
    device = cupy.cuda.runtime.getDevice()
    if not hasattr(_of_thread, "handles"):
        _of_thread.handles = {}
    handle: Cublas | None = _of_thread.handles.get(device)
    if handle is None:
        handle = _of_thread.handles[device] = Cublas(cupy, _load(cupy))
    return handle


def forget_workspaces() -> None:
    """Make this thread's handles allocate new workspaces for their next products."""
    for handle in getattr(_of_thread, "handles", {}).values():
        handle.forget_workspace()


def _load(cupy: Any) -> Any:
    """Return libcublas, found by the name under which CuPy has loaded it.

    Why not through CuPy's handle: that would be a second handle, with its own device memory.
    """
    major = cupy.cuda.runtime.runtimeGetVersion() // 1000
    name = f"cublas64_{major}.dll" if sys.platform == "win32" else f"libcublas.so.{major}"
    try:
        _ = cupy.cuda.cublas  # the first access makes CuPy load the library
        library = ctypes.CDLL(name)
    except (ImportError, OSError) as error:
        cure = f'pip install "cupy-cuda{major}x[ctk]", or choose backend "numpy"'
        why = " ".join(str(error).split())
        raise BackendUnavailable("cupy", f"{name} cannot be loaded ({why})", cure) from None
    for function, arguments in SIGNATURES.items():
        getattr(library, function).argtypes = arguments
    return library


def _check(status: int) -> None:
    if status == ALLOCATION_FAILED:
        raise MemoryError("cuBLAS: out of memory on the device")
    if status:
        raise RuntimeError(f"cuBLAS: status {status}, {STATUS.get(status, 'unknown')}")
