"""What the report asks of the library beyond its public names, in one place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backends import Array, Backend, cuda_kernels
from backprop.optimizers import SGD
from backprop.training import batch_loop
from benchmarks.peers.peer import LEARNING_RATE


def training_loop(
    net: Any, x: Array, labels: Array, batch_size: int, capture: bool
) -> Callable[[np.ndarray], list[float]]:
    """A function of batches: an update by SGD for each; it returns the losses, and hence waits."""
    start = batch_loop(net, SGD(LEARNING_RATE), x, labels, batch_size, recompute_loss=False, capture=capture)
    return lambda batches: start(batches)()


@contextmanager
def own_products(own: bool) -> Iterator[None]:
    """Inside, CUDA layers take the library's own small products, whatever their size, or those of cuBLAS."""
    before = cuda_kernels.SMALL  # multiply-adds, up to which it takes its own
    cuda_kernels.SMALL = 2**62 if own else 0
    try:
        yield
    finally:
        cuda_kernels.SMALL = before


def product(backend: Backend) -> Callable[[Array, Array, Array], Any]:
    """out = a @ b in float32 by the vendor's BLAS, as the library calls it; transposed views are taken."""
    if backend.name == "numpy":
        return lambda a, b, out: np.matmul(a, b, out=out)
    return backend._product
