"""What the report asks of the library beyond its public names, in one place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backends import Array, Backend, Workspace
from backends.cupy import affine, cublas, launch
from backends.loop import Loop
from backprop.optimizers import SGD
from backprop.training import Trainer
from benchmarks.gpu_report.rows import Wrong
from benchmarks.memory import resident
from benchmarks.peers.peer import LEARNING_RATE


def training_loop(
    net: Any, x: Array, labels: Array, batch_size: int, capture: bool
) -> Callable[[np.ndarray], list[float]]:
    """Return a function of batches: an update by SGD for each; it returns the losses, and hence waits.

    capture: record the steps where the backend can.  The function then raises Wrong on a GPU where it cannot:
    the library would go on with steps that Python runs.
    """
    trainer = Trainer(net, SGD(LEARNING_RATE), x, labels, batch_size, capture=capture)

    def train(batches: np.ndarray) -> list[float]:
        losses = trainer.start(batches)()
        if capture:
            _require_captured(net.backend, trainer.run)
        return losses

    return train


def looped(backend: Backend, step: Callable[[int], None]) -> Callable[[int], None]:
    """Return a function of count: step(0), …, step(count - 1), in the loop in which the library trains.

    It raises Wrong on a GPU where the steps cannot be recorded.
    """
    loop = backend.captured(keep=(), compare=())

    def run(count: int) -> None:
        loop(step, count)
        _require_captured(backend, loop)

    return run


def _require_captured(backend: Backend, loop: Loop) -> None:
    if backend.name == "cupy" and loop.how != "captured":
        raise Wrong(f"the steps are not captured; {loop.how}")


def compile_kernels(backend: Backend) -> None:
    """Compile what the backend compiles itself; no other backend than the CUDA one does."""
    if backend.name == "cupy":
        backend.kernel("sgd")  # they are compiled together


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
    """Inside, a block of the kernel `bias_backward` sums that many rows."""
    with _changed(ROWS=rows):
        yield


@contextmanager
def _changed(**constants: int) -> Iterator[None]:
    before = {name: getattr(launch, name) for name in constants}
    vars(launch).update(constants)
    try:
        yield
    finally:
        vars(launch).update(before)


def product(backend: Backend) -> Callable[[Array, Array, Array], Any]:
    """out = a @ b in float32 by the vendor's BLAS, as the library calls it; transposed views are taken."""
    if backend.name == "numpy":
        return lambda a, b, out: np.matmul(a, b, out=out)
    return lambda a, b, out: cublas.product(backend.xp, a, b, out)


def bias_backward(backend: Backend) -> Callable[[Array, Array, Array, Array], Any]:
    """dz = dout where out > 0, else 0; db = the sums of its columns: a layer's backward without products."""
    if backend.name == "numpy":
        return lambda dout, out, dz, db: np.sum(np.multiply(dout, out > 0, out=dz), axis=0, out=db)
    ws = Workspace(backend, "float32")
    return lambda dout, out, dz, db: affine.bias_backward(ws, dout, out, dz, db)
