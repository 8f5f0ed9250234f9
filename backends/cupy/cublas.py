"""cuBLAS products of float32 matrices by ctypes, which a CUDA graph can hold.

Why not CuPy's: it refuses its own cuBLAS calls while a stream is captured, although cuBLAS can be captured.
Why not the binding of another package: these are six functions, and no GPU test needs another install.
"""

import ctypes
import sys
import threading
from typing import Any

from backends.array import Array
from backends.errors import BackendUnavailable
from backends.precision import current_precision

# Bytes; what NVIDIA recommends for its largest GPUs. Another size might choose another algorithm.
WORKSPACE = 2**25
MATH_MODES = {"ieee": 0, "tf32": 3}  # CUBLAS_DEFAULT_MATH, CUBLAS_TF32_TENSOR_OP_MATH
ALLOCATION_FAILED = 3
STATUS = {1: "not initialized", 3: "allocation failed", 7: "invalid value", 8: "architecture mismatch"}
STATUS |= {11: "mapping error", 13: "execution failed", 14: "internal error", 15: "not supported"}

_pointer, _int = ctypes.c_void_p, ctypes.c_int
_matrix = [_pointer, _int]  # its address, and how many numbers lie from one column to the next
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
    """A cuBLAS handle, for one thread and one device: made by its first product, and gone with the thread.

    cupy: the module.  library: the loaded libcublas.
    """

    def __init__(self, cupy: Any, library: Any) -> None:
        self._cupy, self._library = cupy, library
        self._handle, self._stream, self._mode = ctypes.c_void_p(), None, "ieee"
        self._workspace: Array | None = None
        self._one, self._zero = ctypes.c_float(1.0), ctypes.c_float(0.0)
        self._alpha, self._beta = ctypes.addressof(self._one), ctypes.addressof(self._zero)
        _check(library.cublasCreate_v2(ctypes.addressof(self._handle)))

    def __del__(self) -> None:
        if not sys.is_finalizing():  # else CUDA may have gone before
            self._library.cublasDestroy_v2(self._handle)

    def product(self, a: Array, b: Array, out: Array) -> Array:
        """out = a b.  a: (M, K), b: (K, N): C-contiguous, or the transpose of such.  out: C-contiguous."""
        if 0 in out.shape:
            return out
        self._follow()
        # cuBLAS counts by columns, so what it is told is outᵀ = bᵀ aᵀ: a C-contiguous b is bᵀ to it already.
        (m, k), n = a.shape, b.shape[1]
        a_transposed, b_transposed = not a.flags.c_contiguous, not b.flags.c_contiguous
        sizes = b_transposed, a_transposed, n, m, k
        left, right = (b.data.ptr, k if b_transposed else n), (a.data.ptr, m if a_transposed else k)
        scaled = *sizes, self._alpha, *left, *right, self._beta
        _check(self._library.cublasSgemm_v2(self._handle, *scaled, out.data.ptr, n))
        return out

    def forget_workspace(self) -> None:
        """Give the workspace back to its pool; the next product takes one from the pool then in force."""
        self._stream = self._workspace = None

    def _follow(self) -> None:
        """Take on the current stream and precision.

        Each stream has a workspace of its own, which comes from the allocator in force: while a graph is
        captured that is the graph's private pool, so that no other product writes where a replay does.
        """
        stream = self._cupy.cuda.get_current_stream().ptr
        if stream != self._stream:
            workspace = self._cupy.empty((WORKSPACE,), "uint8")
            self._stream = None  # unknown, should one of these fail
            _check(self._library.cublasSetStream_v2(self._handle, stream))  # it resets the workspace
            _check(self._library.cublasSetWorkspace_v2(self._handle, workspace.data.ptr, WORKSPACE))
            self._stream, self._workspace = stream, workspace
        mode = current_precision()
        if mode != self._mode:
            _check(self._library.cublasSetMathMode(self._handle, MATH_MODES[mode]))
            self._mode = mode


_of_thread = threading.local()


def product(cupy: Any, a: Array, b: Array, out: Array) -> Array:
    """out = a b by cuBLAS.  a, b: float32, C-contiguous, or the transpose of such.  out: C-contiguous."""
    return cublas(cupy).product(a, b, out)


def cublas(cupy: Any) -> Cublas:
    """This thread's handle for the current device, made when first asked for."""
    device = cupy.cuda.runtime.getDevice()
    if not hasattr(_of_thread, "handles"):
        _of_thread.handles = {}
    handle: Cublas | None = _of_thread.handles.get(device)
    if handle is None:
        handle = _of_thread.handles[device] = Cublas(cupy, _load(cupy))
    return handle


def forget_workspaces() -> None:
    """Let this thread's handles take new workspaces with their next products."""
    for handle in getattr(_of_thread, "handles", {}).values():
        handle.forget_workspace()


def _load(cupy: Any) -> Any:
    """libcublas, which CuPy knows where to find: what it has loaded is found again by its name.

    Why not through a handle of CuPy's: that would be a second one, with device memory of its own.
    """
    major = cupy.cuda.runtime.runtimeGetVersion() // 1000
    name = f"cublas64_{major}.dll" if sys.platform == "win32" else f"libcublas.so.{major}"
    try:
        _ = cupy.cuda.cublas  # CuPy's binding loads the library when it is first looked at
        library = ctypes.CDLL(name)
    except (ImportError, OSError) as error:
        cure = f'pip install "cupy-cuda{major}x[ctk]", or compute on the CPU: BACKPROP_BACKEND=numpy'
        why = " ".join(str(error).split())
        raise BackendUnavailable("cupy", f"{name} cannot be loaded ({why})", cure) from None
    for function, arguments in SIGNATURES.items():
        getattr(library, function).argtypes = arguments
    return library


def _check(status: int) -> None:
    if status == ALLOCATION_FAILED:
        raise MemoryError("cuBLAS found no memory on the device")
    if status:
        raise RuntimeError(f"cuBLAS: status {status}, {STATUS.get(status, 'unknown')}")
