"""CuPy without a GPU: NumPy's arrays, kernels that run on the CPU, and streams that can be captured.

While a stream is captured, what is asked of the device is written down and done when the graph is launched,
with the arrays that were there; what a real capture refuses (waiting, a product by CuPy) is refused. What is
not like a GPU: memory that was given back stays valid, and everything is done at once.
"""

import ctypes
import sys
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

import numpy as np
from cuda_emulator import emulated_module
from library import Library, plain

from backends import cublas
from backends.cupy_backend import CupyBackend


class EmulatedCupy(Library):
    """The module.  waits: what waited for the device.  devices: how many there are."""

    __version__ = "14.0.0"

    def __init__(self, devices=1, compute_capability="90"):
        super().__init__("cupy")
        self.waits, self.current_device, self.allocator = [], 0, None
        self.stream, numbers = Stream(self, ptr=0), count(1)
        _extend(self, self.ndarray)
        self.cuda = SimpleNamespace(
            is_available=lambda: True,
            get_current_stream=lambda: self.stream,
            Stream=lambda non_blocking=False: Stream(self, ptr=next(numbers)),
            MemoryPool=lambda: SimpleNamespace(malloc=object()),
            using_allocator=self.using_allocator,
            Device=lambda number=None: Device(self, number, compute_capability),
            runtime=SimpleNamespace(
                getDevice=lambda: self.current_device,
                getDeviceCount=lambda: devices,
                getDeviceProperties=lambda number: {"name": b"Emulated 3000"},
                runtimeGetVersion=lambda: 13000,
                driverGetVersion=lambda: 13000,
            ),
        )

    def RawModule(self, code, options):
        assert options == ("-std=c++17",)
        module = emulated_module(code)

        def get_function(name):
            kernel = module.get_function(name)

            def launch(grid, block, arguments):
                assert isinstance(arguments, tuple)
                self.do(lambda: kernel(grid, block, [plain(value) for value in arguments]))

            return launch

        return SimpleNamespace(get_function=get_function)

    @contextmanager
    def using_allocator(self, allocator):
        before, self.allocator = self.allocator, allocator
        try:
            yield
        finally:
            self.allocator = before

    def do(self, work):
        """Do something on the device: now, or when the graph that is being captured is launched."""
        if self.stream.recorded is None:
            work()
        else:
            self.stream.recorded.append(work)

    def wait(self, what):
        """What makes the host wait; no capture lives through it."""
        self.refuse(what)
        self.waits.append(what)

    def refuse(self, what):
        if self.stream.recorded is not None:
            raise RuntimeError(f"cudaErrorStreamCaptureUnsupported: {what}")

    def compute(self, function, inputs, options, out=()):
        if self.stream.recorded is None:
            return super().compute(function, inputs, options, out)
        if function in (np.matmul.__call__, np.dot, np.matmul):
            raise NotImplementedError("calling cuBLAS API during stream capture is currently unsupported")
        if out:
            self.do(lambda: super(EmulatedCupy, self).compute(function, inputs, options, out))
            return out[0]
        result = super().compute(function, inputs, options)  # for its shape; its values come with each launch
        if isinstance(result, self.ndarray):
            self.do(
                lambda: np.copyto(
                    plain(result), plain(super(EmulatedCupy, self).compute(function, inputs, options))
                )
            )
        return result

    def asarray(self, data, dtype=None, copy=False):
        if isinstance(data, self.ndarray):
            same = dtype is None or data.dtype == dtype
            return data if same and not copy else self.compute(np.array, (data,), {"dtype": dtype})
        self.refuse("a copy from the host")
        return self.wrap(np.array(data, dtype))

    def empty(self, shape, dtype=float):
        array = np.empty(shape, dtype)
        array.fill(np.nan if array.dtype.kind in "fc" else 77)  # nobody may count on what it holds
        return self.wrap(array)

    def empty_like(self, array):
        return self.empty(array.shape, array.dtype)

    def count_nonzero(self, array):
        return self.compute(lambda plain: np.asarray(np.count_nonzero(plain)), (array,), {})

    def asnumpy(self, array):
        self.wait("asnumpy")
        return np.array(plain(array))

    def from_dlpack(self, tensor):
        return self.wrap(np.array(tensor.values))


class Stream:
    """A stream whose calls can be captured; number 0 is the default one, which cannot."""

    def __init__(self, cupy, ptr):
        self.cupy, self.ptr, self.recorded = cupy, ptr, None

    def __enter__(self):
        self.before, self.cupy.stream = self.cupy.stream, self
        return self

    def __exit__(self, *_):
        self.cupy.stream = self.before

    def synchronize(self):
        self.cupy.wait("synchronize")

    def begin_capture(self):
        if self.ptr == 0 or self.cupy.stream is not self:
            raise RuntimeError("cudaErrorStreamCaptureImplicit")
        assert self.cupy.allocator is not None, (
            "what is allocated in a capture must come from a pool of its own"
        )
        self.recorded = []

    def end_capture(self):
        recorded, self.recorded = self.recorded, None
        return Graph(recorded)


class Graph:
    """What was asked of the device, to be done again and again."""

    def __init__(self, recorded):
        self.recorded, self.launches = recorded, 0

    def launch(self):
        self.launches += 1
        for work in self.recorded:
            work()


class Device:
    """A device, the current one without a number; `with` makes it the current one."""

    def __init__(self, cupy, number, compute_capability):
        self.cupy, self.id = cupy, cupy.current_device if number is None else number
        self.compute_capability = compute_capability

    def __enter__(self):
        self.before, self.cupy.current_device = self.cupy.current_device, self.id

    def __exit__(self, *_):
        self.cupy.current_device = self.before


class Memory:
    """`array.data`: an address, and copies from another."""

    def __init__(self, cupy, array):
        assert array.flags.forc, "only a part of this memory is the array's"
        self.cupy, self.array, self.ptr = cupy, array, array.ctypes.data

    def copy_from_device_async(self, source, nbytes):
        mine, theirs = self.array, source.array
        assert nbytes == mine.nbytes == theirs.nbytes and mine.dtype == theirs.dtype
        assert mine.flags.c_contiguous and theirs.flags.c_contiguous
        self.cupy.do(lambda: ctypes.memmove(self.ptr, source.ptr, nbytes))


def _extend(cupy, ndarray):
    """Give a library's arrays what CuPy's have besides NumPy's."""

    def finalize(self, parent):
        self._device = getattr(parent, "_device", cupy.current_device)

    def copy(self, order="C"):
        copied = cupy.empty(self.shape, self.dtype)
        cupy.do(lambda: np.copyto(plain(copied), plain(self)))
        return copied

    def setitem(self, key, value):
        if type(value) is np.ndarray:
            raise TypeError("NumPy's array assigned to CuPy's")
        cupy.do(lambda: plain(self).__setitem__(plain(key), plain(value)))

    def waiting(name):
        def method(self, *arguments):
            cupy.wait(name)
            return getattr(plain(self), name)(*arguments)

        return method

    ndarray.__array_finalize__ = finalize
    ndarray.copy = copy
    ndarray.__setitem__ = setitem
    ndarray.data = property(lambda self: Memory(cupy, plain(self)))
    ndarray.device = property(lambda self: SimpleNamespace(id=self._device))
    for name in ("__float__", "__int__", "__bool__", "__complex__", "item", "tolist"):
        setattr(ndarray, name, waiting(name))


class EmulatedCublas:
    """libcublas: products of float32 matrices that are counted by columns, at the addresses given."""

    def __init__(self, cupy):
        self.cupy, self.stream, self.workspace, self.modes = cupy, None, None, []

    def cublasCreate_v2(self, handle):
        return 0

    def cublasSetStream_v2(self, handle, stream):
        self.stream, self.workspace = stream, None
        return 0

    def cublasSetWorkspace_v2(self, handle, address, size):
        assert address % 256 == 0 or size
        self.workspace = address, self.cupy.allocator
        return 0

    def cublasSetMathMode(self, handle, mode):
        self.modes.append(mode)
        return 0

    def cublasSgemm_v2(self, handle, ta, tb, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc):
        current = self.cupy.stream
        assert self.stream == current.ptr and self.workspace is not None
        if current.recorded is not None:
            assert self.workspace[1] is not None, "a replay would write into memory that others are given"

        def matrix(address, stride, rows, columns):
            buffer = (ctypes.c_float * (stride * columns)).from_address(address)
            return np.frombuffer(buffer, np.float32).reshape(columns, stride)[:, :rows].T

        def product():
            a, b = matrix(A, lda, *((k, m) if ta else (m, k))), matrix(B, ldb, *((n, k) if tb else (k, n)))
            assert (ctypes.c_float.from_address(alpha).value, ctypes.c_float.from_address(beta).value) == (
                1,
                0,
            )
            matrix(C, ldc, m, n)[...] = (a.T if ta else a) @ (b.T if tb else b)

        self.cupy.do(product)
        return 0


def load_cublas(cupy):
    """In place of the loader: the functions that the binding declares, with as many arguments."""
    library = EmulatedCublas(cupy)

    def function(name):
        method, count = getattr(library, name), len(cublas.SIGNATURES[name])

        def call(*arguments):
            assert len(arguments) == count
            return method(*arguments)

        return call

    return SimpleNamespace(emulated=library, **{name: function(name) for name in cublas.SIGNATURES})


def emulated_backend(monkeypatch, **options):
    """The real CupyBackend over an emulated CuPy, as long as `monkeypatch` lasts."""
    cupy = EmulatedCupy(**options)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(cublas, "_load", load_cublas)
    monkeypatch.setattr(cublas, "_of_thread", SimpleNamespace())
    return CupyBackend()
