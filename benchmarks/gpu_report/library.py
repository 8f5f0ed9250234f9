"""What the report asks of the library beyond its public names, in one place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backends import Array, Backend, cuda_kernels
from backprop.optimizers import SGD
from backprop.training import batch_loop
from benchmarks.memory import resident
from benchmarks.peers.peer import LEARNING_RATE


def training_loop(
    net: Any, x: Array, labels: Array, batch_size: int, capture: bool
) -> Callable[[np.ndarray], list[float]]:
    """A function of batches: an update by SGD for each; it returns the losses, and hence waits."""
    start = batch_loop(net, SGD(LEARNING_RATE), x, labels, batch_size, recompute_loss=False, capture=capture)
    return lambda batches: start(batches)()


def compile_kernels(backend: Backend) -> None:
    """Compile what the backend compiles itself; no other backend than the CUDA one does."""
    if backend.name == "cupy":
        backend._kernel("sgd")  # they are compiled together


def memory_in_use(backend: Backend) -> float:
    """Bytes of the device that are given away, less what CuPy's pool has unused; else, of the host."""
    if backend.name != "cupy":
        return resident() * 2**20
    backend.synchronize()
    backend.xp.get_default_memory_pool().free_all_blocks()
    free, total = backend.xp.cuda.runtime.memGetInfo()
    return float(total - free)


def without_pool(backend: Backend) -> None:
    """From now on CuPy asks the driver for each array, and exactly for its size."""
    if backend.name == "cupy":
        backend.xp.cuda.set_allocator(None)


@contextmanager
def own_products(own: bool) -> Iterator[None]:
    """Inside, CUDA layers take the library's own small products, whatever their size, or those of cuBLAS."""
    any_size = 2**62 if own else 0  # SMALL: multiply-adds, DEEP: summands, up to which it takes its own
    with _changed(SMALL=any_size, DEEP=any_size):
        yield


@contextmanager
def rows_of_a_block(rows: int) -> Iterator[None]:
    """Inside, a block of `bias_backward` sums that many rows."""
    with _changed(ROWS=rows):
        yield


@contextmanager
def _changed(**constants: int) -> Iterator[None]:
    before = {name: getattr(cuda_kernels, name) for name in constants}
    vars(cuda_kernels).update(constants)
    try:
        yield
    finally:
        vars(cuda_kernels).update(before)


def product(backend: Backend) -> Callable[[Array, Array, Array], Any]:
    """out = a @ b in float32 by the vendor's BLAS, as the library calls it; transposed views are taken."""
    if backend.name == "numpy":
        return lambda a, b, out: np.matmul(a, b, out=out)
    return backend._product


def bias_backward(backend: Backend) -> Callable[[Array, Array, Array, Array], Any]:
    """dz = dout where out > 0, else 0; db = the sums of its columns: a layer's backward without products."""
    if backend.name == "numpy":
        return lambda dout, out, dz, db: np.sum(backend.relu_backward(dout, out), axis=0, out=db)
    return backend._bias_backward
