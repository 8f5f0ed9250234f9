"""cuBLAS without a GPU: the functions that our binding declares, computed by NumPy at the given addresses."""

import ctypes
from types import SimpleNamespace

import numpy as np

from backends.cupy import cublas

SCRATCH = 64  # bytes of the workspace that a product overwrites: enough to spoil another user's data there


class EmulatedCublas:
    """A stand-in for libcublas: products of float32 matrices in column-major order.

    modes: the math modes that were set.  handles: number of open handles.
    """

    def __init__(self, cupy):
        self.cupy, self.stream, self.workspace, self.modes, self.handles = cupy, None, None, [], 0

    def cublasCreate_v2(self, handle):
        self.cupy.refuse("cublasCreate")
        self.handles += 1
        return 0

    def cublasDestroy_v2(self, handle):
        self.handles -= 1
        return 0

    def cublasSetStream_v2(self, handle, stream):
        self.stream, self.workspace = stream, None
        return 0

    def cublasSetWorkspace_v2(self, handle, address, size):
        assert address % 256 == 0
        self.workspace = self.cupy.in_use[address]
        assert len(self.workspace().store) >= size
        return 0

    def cublasSetMathMode(self, handle, mode):
        self.modes.append(mode)
        return 0

    def cublasSgemm_v2(self, handle, ta, tb, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc):
        assert self.stream == self.cupy.stream.ptr
        block = self.workspace()
        assert block is not None, "its workspace was given back"
        if self.cupy.stream.recorded is not None:
            own = block.of_pool is self.cupy.pool.here
            assert own, "a replay would write into memory that others are given"
        scratch = block.store[:SCRATCH]

        def matrix(address, stride, rows, columns):
            buffer = (ctypes.c_float * (stride * columns)).from_address(address)
            return np.frombuffer(buffer, np.float32).reshape(columns, stride)[:, :rows].T

        def product():
            a, b = matrix(A, lda, *((k, m) if ta else (m, k))), matrix(B, ldb, *((n, k) if tb else (k, n)))
            assert [ctypes.c_float.from_address(factor).value for factor in (alpha, beta)] == [1, 0]
            matrix(C, ldc, m, n)[...] = (a.T if ta else a) @ (b.T if tb else b)
            scratch.fill(0)

        self.cupy.do(product)
        return 0


def load_cublas(cupy):
    """Return the declared functions, in place of the loader, with their number of arguments checked."""
    library = EmulatedCublas(cupy)

    def function(name):
        method, count = getattr(library, name), len(cublas.SIGNATURES[name])

        def call(*arguments):
            assert len(arguments) == count
            return method(*arguments)

        return call

    return SimpleNamespace(emulated=library, **{name: function(name) for name in cublas.SIGNATURES})
