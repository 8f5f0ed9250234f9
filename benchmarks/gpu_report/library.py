"""What the report asks of the library beyond its public names, in one place."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import signature
from typing import Any

import numpy as np

import backprop
from backends import Array, Backend
from backprop.optimizers import SGD
from backprop.training import SEGMENT, batch_loop
from benchmarks.peers.peer import LEARNING_RATE

CAPTURES = "capture" in signature(batch_loop).parameters


def training_loop(
    net: Any, x: Array, labels: Array, batch_size: int, capture: bool
) -> Callable[[np.ndarray], list[float]]:
    """A function of batches: an update by SGD for each; it returns the losses, and hence waits."""
    arguments = (net, SGD(LEARNING_RATE), x, labels, batch_size, False)
    if CAPTURES:
        return batch_loop(*arguments, capture=capture)
    if capture and net.backend.name == "cupy":
        raise NotImplementedError("this version of the library captures no loop")
    return batch_loop(*arguments)


def at_once(backend: Backend) -> int:
    """How many batches such a function takes."""
    return getattr(backend, "iterations_at_once", SEGMENT)


def precision(name: str) -> AbstractContextManager[Any]:
    """Inside, products of float32 are computed in "ieee" float32 or in "tf32"."""
    if hasattr(backprop, "precision"):
        return backprop.precision(name)
    if name == "tf32":
        raise NotImplementedError("this version of the library has no TF32")
    return nullcontext()


def warmup(backend: Backend) -> float:
    """Compile the kernels; returns the seconds that it took."""
    return backprop.warmup(backend) if hasattr(backprop, "warmup") else 0.0


@contextmanager
def own_products(own: bool) -> Iterator[None]:
    """Inside, CUDA layers take the library's own small products, whatever their size, or those of cuBLAS."""
    from backends import cupy_backend

    before = getattr(cupy_backend, "SMALL", 0)  # multiply-adds, up to which it takes its own
    cupy_backend.SMALL = 2**62 if own else 0
    try:
        yield
    finally:
        cupy_backend.SMALL = before


def product(backend: Backend) -> Callable[[Array, Array, Array], Any]:
    """out = a @ b in float32 by the vendor's BLAS, as the library calls it; transposed views are taken."""
    if backend.name == "numpy":
        return lambda a, b, out: np.matmul(a, b, out=out)
    return backend._product
