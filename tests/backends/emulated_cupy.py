"""CuPy without a GPU: NumPy's arrays, kernels that run on the CPU, and streams that can be captured.

While a stream is captured, work is recorded and done when the graph is launched, at the recorded addresses.
As in CuPy, a capture refuses what it cannot hold (reading a value, a product by CuPy); as in CUDA, a
synchronization invalidates it. Freed memory is overwritten and allocated again. Unlike on a GPU, work is done
at once, so a missing synchronization is not noticed.
"""

import operator
import sys
import weakref
from collections import Counter
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

import numpy as np
from cuda_emulator import emulated_module, signatures
from emulated_cublas import load_cublas
from emulated_memory import CUDARuntimeError, Memory, Pool, address, block_of, new, pinned
from emulated_nccl import EmulatedNccl
from library import Library, plain

from backends.cupy import CupyBackend, cublas
from backends.cupy.launch import kernels, source

PRODUCTS = (np.matmul.__call__, np.dot, np.matmul)
COMPILE_NOTHING = {"zeros", "reshape"}  # only clear or view memory
SMALLEST = np.finfo(np.float32).smallest_normal
WAIT = {"nonzero", "flatnonzero", "argwhere", "unique", "unique_values"}  # for the size of the result


class EmulatedCupy(Library):
    """A stand-in for the module `cupy`.

    waits: the calls that synchronized.  compiled: the functions that CuPy would compile a kernel for.
    graphs: those that exist.  lost: bytes of pools that can no longer be freed.
    capacity, taken: total and allocated bytes of each device.  devices: their number.
    """

    __version__ = "14.0.0"

    def __init__(self, devices=1, compute_capability="90"):
        super().__init__("cupy")
        self.waits, self.compiled, self.lost, self.graphs = [], set(), [], weakref.WeakSet()
        self.capacity, self.taken, self.current_device, self.in_use = 2**33, Counter(), 0, {}
        self.pool = self.default_pool = Pool(self)
        self.stream, numbers = Stream(self, ptr=0), count(1)
        _extend(self, self.ndarray)
        self.cuda = SimpleNamespace(
            is_available=lambda: True,
            get_current_stream=lambda: self.stream,
            Stream=lambda non_blocking=False: Stream(self, ptr=next(numbers)),
            Memory=lambda size: Memory(self, size),
            MemoryPointer=lambda memory, offset: memory,
            MemoryPool=lambda allocator=None: Pool(self, allocator),
            using_allocator=self.using_allocator,
            alloc_pinned_memory=pinned,
            Event=lambda disable_timing=False: Event(self),
            nccl=EmulatedNccl(self),
            Device=lambda number=None: Device(self, number, compute_capability),
            runtime=SimpleNamespace(
                getDevice=lambda: self.current_device,
                getDeviceCount=lambda: devices,
                getDeviceProperties=lambda number: {"name": b"Emulated 3000"},
                runtimeGetVersion=lambda: 13000,
                driverGetVersion=lambda: 13000,
                CUDARuntimeError=CUDARuntimeError,
            ),
        )

    def RawModule(self, code, options):
        assert options == ("-std=c++17",)

        def get_function(name):
            self.refuse("loading a kernel")
            assert [*signatures(code)] == [name], "each kernel is compiled alone, in time on a GPU"
            whole = source() if name in kernels() else code  # g++ takes longer for many small texts

            def launch(grid, block, arguments):
                kernel = emulated_module(whole).get_function(name)
                assert isinstance(arguments, tuple)
                self.require_own(arguments)
                arguments = address(tuple(map(plain, arguments)))
                self.do(lambda: kernel(grid, block, arguments))

            return launch

        return SimpleNamespace(get_function=get_function)

    def get_default_memory_pool(self):
        return self.default_pool

    @contextmanager
    def using_allocator(self, malloc):
        before, self.pool = self.pool, malloc.__self__
        try:
            yield
        finally:
            self.pool = before

    def do(self, work):
        """Do work on the device, now or, in a capture, when the graph is launched.

        work: a function that refers to arrays by their addresses, as a launch does.
        """
        if self.stream.recorded is None:
            work()
        elif self.stream.spoilt:
            raise RuntimeError("cudaErrorStreamCaptureInvalidated")
        else:
            self.stream.recorded.append(work)

    def wait(self, what):
        """Record a synchronization, which a capture does not survive."""
        self.refuse(what)
        self.waits.append(what)

    def refuse(self, what, error=RuntimeError):
        if self.stream.recorded is not None:
            raise error(f"{what}, while the stream is capturing")

    def require_own(self, values):
        """Raise TypeError for a host array, as CuPy does where it expects one of its own."""
        for value in _arrays(values):
            if not isinstance(value, self.ndarray):
                raise TypeError(f"Unsupported type {type(value)}")

    def compute(self, function, inputs, options, out=()):
        ufunc = getattr(function, "__self__", None)
        name = ufunc.__name__ if isinstance(ufunc, np.ufunc) else function.__name__
        self.compiled |= {name} - COMPILE_NOTHING
        self.require_own([*inputs, *options.values()])
        if name in WAIT:
            self.wait(name)
        if self.stream.recorded is not None and function in PRODUCTS:
            self.refuse("a product by cuBLAS", NotImplementedError)
        function = without_subnormals(function) if isinstance(ufunc, np.ufunc) else function
        if self.stream.recorded is None:
            return super().compute(function, inputs, options, out)
        known = address(plain(tuple(inputs)))
        named = {name: address(plain(value)) for name, value in options.items()}
        if out:
            named["out"] = address(plain(tuple(out)))
            self.do(lambda: function(*known, **named))
            return out[0]
        with np.errstate(all="ignore"):  # only the shape counts; values are computed at the launch
            result = super().compute(function, inputs, options)
        if isinstance(result, self.ndarray) and not any(np.shares_memory(result, v) for v in _arrays(inputs)):
            target = address(plain(result))
            self.do(lambda: np.copyto(target, function(*known, **named)))
        return result

    def wrap(self, value):
        if not isinstance(value, np.ndarray | np.generic):
            return value
        if isinstance(value, np.generic) or block_of(value) is None:
            array = self.empty(np.shape(value), value.dtype)
            np.copyto(plain(array), value)
            return array
        return value.view(self.ndarray)

    def asarray(self, data, dtype=None, copy=False):
        if isinstance(data, self.ndarray):
            same = dtype is None or data.dtype == dtype
            return data if same and not copy else self.compute(np.array, (data,), {"dtype": dtype})
        self.refuse("a copy from the host")
        return self.wrap(np.array(data, dtype))

    def empty(self, shape, dtype=float):
        array = new(self.pool, (shape,) if isinstance(shape, int) else shape, dtype)
        block = block_of(array)
        self.in_use[array.__array_interface__["data"][0]] = weakref.ref(block)
        return array.view(self.ndarray)

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
        self.cupy, self.ptr, self.recorded, self.spoilt = cupy, ptr, None, False
        self.device = cupy.current_device

    def __enter__(self):
        if self.device != self.cupy.current_device:
            raise RuntimeError("This stream was not created on the current device")
        self.before, self.cupy.stream = self.cupy.stream, self
        return self

    def __exit__(self, *_):
        self.cupy.stream = self.before

    def synchronize(self):
        if self.recorded is not None:
            self.spoilt = True
            raise RuntimeError("cudaErrorStreamCaptureUnsupported")
        self.cupy.waits.append("synchronize")

    @property
    def done(self):
        self.spoilt = self.recorded is not None  # silently, as in CUDA
        return not self.spoilt

    def begin_capture(self):
        if self.ptr == 0 or self.cupy.stream is not self:
            raise RuntimeError("cudaErrorStreamCaptureImplicit")
        if self.recorded is not None:
            raise RuntimeError("cudaErrorIllegalState")
        own = self.cupy.pool is not self.cupy.default_pool
        assert own, "what is allocated in a capture must come from a pool of its own"
        self.recorded = []

    def end_capture(self):
        recorded, spoilt = self.recorded, self.spoilt
        self.recorded, self.spoilt = None, False
        if spoilt:
            raise RuntimeError("cudaErrorStreamCaptureInvalidated")
        return Graph(self.cupy, recorded)


class Event:
    """An event, whose work is done at once. It cannot be asked for in a capture."""

    done = True

    def __init__(self, cupy):
        self.cupy = cupy

    def record(self):
        self.cupy.refuse("recording an event")


class Graph:
    """Recorded work, which can be launched again and again."""

    def __init__(self, cupy, recorded):
        self.recorded, self.launches = recorded, 0
        cupy.graphs.add(self)

    def launch(self):
        self.launches += 1
        for work in self.recorded:
            work()


class Device:
    """A device: the current one if no number is given; `with` makes it the current one."""

    def __init__(self, cupy, number, compute_capability):
        self.cupy, self.id = cupy, cupy.current_device if number is None else number
        self.compute_capability, self.pci_bus_id = compute_capability, f"0000:{self.id:02x}:00.0"

    def use(self):
        self.cupy.current_device = self.id

    def __enter__(self):
        self.before, self.cupy.current_device = self.cupy.current_device, self.id

    def __exit__(self, *_):
        self.cupy.current_device = self.before


class Pointer:
    """`array.data`: an address, and copies from another."""

    def __init__(self, cupy, array):
        self.cupy, self.array, self.ptr = cupy, array, array.ctypes.data

    def copy_from_device_async(self, source, nbytes):
        mine, theirs = self.array, source.array
        assert nbytes == mine.nbytes == theirs.nbytes and mine.dtype == theirs.dtype
        assert mine.flags.c_contiguous and theirs.flags.c_contiguous
        mine, theirs = (address(array).reshape(-1) for array in (mine, theirs))
        self.cupy.do(lambda: np.copyto(mine, theirs))


def without_subnormals(function):
    """Return a function that takes subnormal float32 numbers for 0, as CuPy's kernels do by -ftz=true."""

    def run(*inputs, **options):
        has_32 = any(getattr(value, "dtype", None) == np.float32 for value in inputs)
        result = function(*(flushed(value, has_32) for value in inputs), **options)
        for target in options.get("out", ()):
            np.copyto(target, flushed(target))
        return flushed(result) if "out" not in options else result

    return run


def flushed(value, numbers=False):
    """Return value with 0 in place of subnormal float32 numbers.  numbers: also Python's."""
    if numbers and type(value) is float:
        return 0.0 if abs(value) < SMALLEST else value
    if getattr(value, "dtype", None) != np.float32:
        return value
    small = (np.abs(value) < SMALLEST) & (value != 0)
    return np.where(small, np.copysign(np.float32(0), value), value)[()] if small.any() else value


def _arrays(values):
    for value in values:
        if isinstance(value, list | tuple):
            yield from _arrays(value)
        elif isinstance(value, np.ndarray):
            yield value


def _extend(cupy, ndarray):
    """Add to a library's arrays the members that CuPy's have and NumPy's lack."""

    def finalize(self, parent):
        self._device = getattr(parent, "_device", cupy.current_device)

    def copy(self, order="C"):
        return cupy.compute(np.copy, (self,), {"order": order})

    def getitem(self, key):
        keys = key if isinstance(key, tuple) else (key,)
        arrays = [part for part in keys if isinstance(part, np.ndarray)]
        if any(array.dtype == bool for array in arrays):
            cupy.wait("a boolean mask")
        if arrays:
            return cupy.compute(operator.getitem, (self, key), {})
        return np.ndarray.__getitem__(self, key if any(k is ... for k in keys) else (*keys, ...))

    def setitem(self, key, value):
        keys = key if isinstance(key, tuple) else (key,)
        cupy.require_own([value, *keys])
        if any(array.dtype == bool for array in _arrays(keys)):
            cupy.wait("a boolean mask")
        there, key, value = address(plain(self)), address(plain(key)), address(plain(value))
        if not _is_copied(there, key, value):
            cupy.compiled.add("__setitem__")
        cupy.do(lambda: there.__setitem__(key, value))

    def waiting(name):
        def method(self, *arguments):
            cupy.wait(name)
            return getattr(plain(self), name)(*arguments)

        return method

    def get(self, out):
        cupy.wait("get")
        _require_like(self, out, "out")
        np.copyto(out, plain(self))
        return out

    def set_(self, host):
        cupy.refuse("a copy from the host")
        _require_like(self, host, "host")
        np.copyto(plain(self), host)

    def reduce(self):
        cupy.wait("pickle")
        return _of_values, (np.array(plain(self)),)

    ndarray.__array_finalize__ = finalize
    ndarray.copy, ndarray.get, ndarray.set = copy, get, set_
    ndarray.__deepcopy__ = lambda self, memo: self.copy()
    ndarray.__reduce__ = reduce
    ndarray.__getitem__ = getitem
    ndarray.__setitem__ = setitem
    ndarray.data = property(lambda self: Pointer(cupy, plain(self)))
    ndarray.device = property(lambda self: SimpleNamespace(id=self._device))
    texts = ("__str__", "__repr__", "__format__")
    for name in ("__float__", "__int__", "__bool__", "__complex__", "item", "tolist", *texts):
        setattr(ndarray, name, waiting(name))


def _require_like(array, host, name):
    """Raise what CuPy raises unless an array of the host has the form of one on the device."""
    if type(host) is not np.ndarray or host.dtype != array.dtype:
        raise TypeError(f"{name} must be NumPy's, of dtype {array.dtype}")
    if host.shape != array.shape:
        raise ValueError(f"shape mismatch: {array.shape} and {host.shape}")
    if not (array.flags.c_contiguous and host.flags.c_contiguous):
        raise RuntimeError("non-contiguous array")


def _of_values(values):
    """Return a pickled array on the current CuPy."""
    return sys.modules["cupy"].asarray(values)


def _is_copied(array, key, value):
    """Return whether CuPy assigns by a memory copy, without a kernel."""
    target = array[key]
    return (
        isinstance(value, np.ndarray)
        and (value.shape, value.dtype) == (target.shape, target.dtype)
        and value.flags.c_contiguous
        and target.flags.c_contiguous
    )


def emulated_backend(monkeypatch, **options):
    """Return the real CupyBackend over an emulated CuPy, which lasts as long as `monkeypatch`."""
    cupy = EmulatedCupy(**options)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setitem(sys.modules, "cupy.cuda", cupy.cuda)
    monkeypatch.setattr(cublas, "_load", load_cublas)
    monkeypatch.setattr(cublas, "_of_thread", SimpleNamespace())
    return CupyBackend()
