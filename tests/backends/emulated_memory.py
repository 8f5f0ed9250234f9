"""Memory as CuPy's pools give it: what comes back is full of rubbish, and is handed out again."""

import weakref
from math import prod
from types import SimpleNamespace

import numpy as np

UNIT = 512  # CuPy allocates a multiple of it, at an address that is one
RUBBISH = 0xFF  # as a float NaN, as an integer -1


class Pool:
    """cupy.cuda.MemoryPool.  lost: a list of the bytes that no pool can free any more, one entry a pool.

    As in CuPy, memory that was given back stays with the pool, and is lost with it.
    """

    def __init__(self, lost):
        self._has = SimpleNamespace(free=[], total=0)
        weakref.finalize(self, _end, self._has, lost).atexit = False

    def malloc(self, nbytes):
        """Memory for that many bytes: what came back before, if it is of the same size."""
        size = -(-nbytes // UNIT) * UNIT
        same = [i for i, store in enumerate(self._has.free) if len(store) == size]
        if same:
            return Block(self._has.free.pop(same[-1]), self._has)
        self._has.total += size
        memory = np.empty(size + UNIT, np.uint8)
        store = memory[-memory.ctypes.data % UNIT :][:size]
        store.fill(RUBBISH)
        return Block(store, self._has)

    def free_all_blocks(self):
        self._has.total -= sum(map(len, self._has.free))
        self._has.free.clear()

    def total_bytes(self):
        return self._has.total


class Block:
    """Memory that is in use as long as an array lies in it.  store: its bytes, which stay beyond that."""

    def __init__(self, store, pool):
        self.store, self.pool = store, pool
        self.__array_interface__ = store.__array_interface__
        weakref.finalize(self, _take_back, store, pool).atexit = False


def _take_back(store, pool):
    store.fill(RUBBISH)
    pool.free.append(store)


def _end(pool, lost):
    if pool.total:
        lost.append(pool.total)


def new(pool, shape, dtype):
    """A NumPy array in memory of that pool."""
    nbytes = prod(shape) * np.dtype(dtype).itemsize
    return np.asarray(pool.malloc(nbytes))[:nbytes].view(dtype).reshape(shape)


def block_of(array):
    """The block that an array lies in; None for host data."""
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, Block) else None


def address(value):
    """An array, or a list of arrays, as what a recorded call knows of it: where it lay, in use or not."""
    if isinstance(value, list | tuple):
        return type(value)(map(address, value))
    block = block_of(value)
    if block is None:
        return value
    start = value.__array_interface__["data"][0] - block.store.__array_interface__["data"][0]
    return np.ndarray(value.shape, value.dtype, block.store, start, value.strides)
