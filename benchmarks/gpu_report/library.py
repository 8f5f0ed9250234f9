"""What the report asks of the library beyond its public names, in one place."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
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
    """Inside, products are computed in "float32" or in "tf32"."""
    if name == "float32":
        return nullcontext()
    if not hasattr(backprop, "precision"):
        raise NotImplementedError(f"this version of the library has no precision({name!r})")
    return backprop.precision(name)


def warmup(backend: Backend) -> float:
    """Compile the kernels; returns the seconds that it took."""
    return backprop.warmup(backend) if hasattr(backprop, "warmup") else 0.0


def product(backend: Backend) -> Callable[[Array, Array, Array], Any]:
    """out = a @ b in float32 by the vendor's BLAS, as the library calls it; transposed views are taken."""
    if backend.name == "numpy":
        return lambda a, b, out: np.matmul(a, b, out=out)
    return backend._product
