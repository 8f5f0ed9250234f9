"""The report's access to the library beyond its public names, all in one place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backends import Array, Backend, Workspace
from backends.cupy import affine, cublas, launch
from backends.loop import Loop
from backprop.optimizers import SGD, Optimizer
from backprop.training import Trainer
from benchmarks.gpu_report.rows import Wrong
from benchmarks.memory import resident
from benchmarks.peers.peer import LEARNING_RATE


def training_loop(
    net: Any, x: Array, labels: Array, batch_size: int, capture: bool, optimizer: Optimizer | None = None
) -> Callable[[np.ndarray], list[float]]:
    """Return a function that makes an update per batch, by SGD unless an optimizer is given.

    It returns the losses, and hence synchronizes.

    capture: capture the steps if the backend can. On a GPU where it cannot, the function raises Wrong; the
    library itself would go on eagerly.
    """
    trainer = Trainer(net, optimizer or SGD(LEARNING_RATE), x, labels, batch_size, capture=capture)

    def train(batches: np.ndarray) -> list[float]:
        losses = trainer.start(batches)()
        if capture:
            require_captured(net.backend, trainer.run)
        return losses

    return train


def looped(backend: Backend, step: Callable[[int], None]) -> Callable[[int], None]:
    """Return a function of `count` that runs step(0), …, step(count - 1) in the library's training loop.

    On a GPU it raises Wrong if the steps cannot be captured.
    """
    loop = backend.captured(keep=(), compare=())

    def run(count: int) -> None:
        loop(step, count)
        require_captured(backend, loop)

    return run


def require_captured(backend: Backend, loop: Loop) -> None:
    """Raise Wrong on a GPU if the steps that a loop has run are not captured."""
    if backend.name == "cupy" and loop.how != "captured":
        raise Wrong(f"the steps are not captured; {loop.how}")


def compile_kernels(backend: Backend) -> None:
    """Compile the kernels of a CUDA backend; do nothing for others."""
    if backend.name == "cupy":
        backend.compile(launch.kernels())


def compile_first(backend: Backend) -> None:
    """Compile the kernels of nearly every network, as the first training run does."""
    if backend.name == "cupy":
        backend.compile(launch.FIRST)


def memory_in_use(backend: Backend) -> float:
    """Return the bytes in use on the device, without the free blocks of CuPy's pool; or those of the host."""
    if backend.name != "cupy":
        return resident() * 2**20
    backend.synchronize()
    backend.xp.get_default_memory_pool().free_all_blocks()
    free, total = backend.xp.cuda.runtime.memGetInfo()
    return float(total - free)


def without_pool(backend: Backend) -> None:
    """Make CuPy allocate each array from the driver, at its exact size, from now on."""
    if backend.name == "cupy":
        backend.xp.cuda.set_allocator(None)


@contextmanager
def own_products(own: bool) -> Iterator[None]:
    """Make CUDA layers use the library's own product kernels, at any size, or only cuBLAS, in the block."""
    any_size = 2**62 if own else 0  # SMALL: multiply-adds, DEEP: summands, up to which own kernels are used
    with _changed(SMALL=any_size, DEEP=any_size):
        yield


@contextmanager
def rows_of_a_block(rows: int) -> Iterator[None]:
    """Set how many rows a thread block of the kernel `bias_backward` sums, in the `with` block."""
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
    """Return a function (a, b, out) that sets out = a @ b in float32 by the vendor's BLAS.

    Transposed views are accepted.
    """
    if backend.name == "numpy":
        return lambda a, b, out: np.matmul(a, b, out=out)
    return lambda a, b, out: cublas.product(backend.xp, a, b, out)


def bias_backward(backend: Backend) -> Callable[[Array, Array, Array, Array], Any]:
    """Return a function (dout, out, dz, db): dz = dout where out > 0, else 0; db = the column sums of dz.

    That is the backward pass of Affine + ReLU without its products.
    """
    if backend.name == "numpy":
        return lambda dout, out, dz, db: np.sum(np.multiply(dout, out > 0, out=dz), axis=0, out=db)
    ws = Workspace(backend, "float32")
    return lambda dout, out, dz, db: affine.bias_backward(ws, dout, out, dz, db)
