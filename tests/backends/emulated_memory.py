"""Memory as in CuPy's pools: freed memory is filled with rubbish and allocated again."""

import weakref
from collections import defaultdict
from math import prod
from types import SimpleNamespace

import numpy as np

UNIT = 512  # CuPy allocates multiples of it at addresses that are multiples of it
RUBBISH = 0xFF  # as a float NaN, as an integer -1
OUT_OF_MEMORY = 2


class CUDARuntimeError(RuntimeError):
    """The error `cupy.cuda.runtime.CUDARuntimeError`."""

    def __init__(self, status):
        super().__init__({OUT_OF_MEMORY: "cudaErrorMemoryAllocation: out of memory"}.get(status, str(status)))
        self.status = status


class Memory:
    """Memory of the current device, within its capacity, as `cupy.cuda.Memory`.  store: its bytes."""

    def __init__(self, cupy, size):
        # Not the module itself: the finalizer holds these, and would keep the module alive.
        self.taken, self.device, self.size = cupy.taken, cupy.current_device, size
        if cupy.taken[self.device] + size > cupy.capacity:
            raise CUDARuntimeError(OUT_OF_MEMORY)
        cupy.taken[self.device] += size
        memory = np.empty(size + UNIT, np.uint8)
        self.store = memory[-memory.ctypes.data % UNIT :][:size]
        self.store.fill(RUBBISH)

    def free(self):
        self.taken[self.device] -= self.size


class Pool:
    """A stand-in for `cupy.cuda.MemoryPool`, with separate memory per device.

    As in CuPy, freed memory stays with the pool and is lost with it; `cupy.lost` counts the bytes. If the
    device is full, the pool frees its unused blocks and tries once more.
    """

    def __init__(self, cupy, allocator=None):
        self._cupy, self._allocator = cupy, allocator or (lambda size: Memory(cupy, size))
        self._devices = defaultdict(lambda: SimpleNamespace(free=[], total=0, gone=False))
        weakref.finalize(self, _end, self._devices, cupy.lost).atexit = False

    @property
    def here(self):
        """The pool's memory on the current device."""
        return self._devices[self._cupy.current_device]

    def malloc(self, nbytes):
        """Return memory of that many bytes, a freed block of the same size if there is one."""
        here, size = self.here, -(-nbytes // UNIT) * UNIT
        same = [i for i, memory in enumerate(here.free) if memory.size == size]
        if same:
            return Block(here.free.pop(same[-1]), here)
        try:
            memory = self._allocator(size)
        except CUDARuntimeError:
            self.free_all_blocks()
            memory = self._allocator(size)
        here.total += size
        return Block(memory, here)

    def free_all_blocks(self):
        captures = self._cupy.stream.recorded is not None and self._cupy.pool is self
        assert not captures, "what a graph writes is freed while it is captured"
        for memory in self.here.free:
            memory.free()
            self.here.total -= memory.size
        self.here.free.clear()

    def total_bytes(self):
        return self.here.total

    def set_limit(self, size):
        assert size == 0, "no limit"


class Block:
    """A block that is in use as long as an array lies in it; its bytes outlive the array."""

    def __init__(self, memory, of_pool):
        self.store, self.of_pool = memory.store, of_pool
        self.__array_interface__ = memory.store.__array_interface__
        weakref.finalize(self, _take_back, memory, of_pool).atexit = False


def _take_back(memory, of_pool):
    memory.store.fill(RUBBISH)
    if of_pool.gone:
        memory.free()
    else:
        of_pool.free.append(memory)


def _end(devices, lost):
    for here in devices.values():
        here.gone = True
        if here.free:
            lost.append(sum(memory.size for memory in here.free))


def new(pool, shape, dtype):
    """Return a NumPy array in memory of that pool."""
    nbytes = prod(shape) * np.dtype(dtype).itemsize
    return np.asarray(pool.malloc(nbytes))[:nbytes].view(dtype).reshape(shape)


def pinned(size):
    """Return page-locked memory of at least that many bytes; rubbish as soon as nothing refers to it."""
    store = np.empty(-(-max(1, size) // UNIT) * UNIT, np.uint8)
    pointer = store[:]
    weakref.finalize(pointer, store.fill, RUBBISH).atexit = False
    return pointer


def block_of(array):
    """Return the block that an array lies in, or None for host data."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, Block) else None


def address(value):
    """Return an array or a list of arrays as a recorded call sees it: the same addresses, in use or not."""
    if isinstance(value, list | tuple):
        return type(value)(map(address, value))
    block = block_of(value)
    if block is None:
        return value
    start = value.__array_interface__["data"][0] - block.store.__array_interface__["data"][0]
    return np.ndarray(value.shape, value.dtype, block.store, start, value.strides)
