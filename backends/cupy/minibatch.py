"""Drawing a batch, also from samples that are kept as bytes."""

from math import prod
from typing import Any

import numpy as np

from backends.array import Array
from backends.cupy.launch import kernel_twin


@kernel_twin("minibatch")
def minibatch(ws: Any, x: Array, targets: Array, batch: Array) -> tuple[Array, Array]:
    n, width = len(batch), prod(x.shape[1:])
    x_batch = ws["x", (n, *x.shape[1:])]
    targets_batch = ws["targets", (n, *targets.shape[1:]), targets.dtype]
    kernel = "minibatch" if x.dtype == np.float32 else "minibatch_of_bytes"
    target_bytes = prod(targets.shape[1:]) * targets.dtype.itemsize
    arrays = x, as_bytes(targets), batch, x_batch, as_bytes(targets_batch)
    ws.backend.launch(kernel, n, *arrays, np.int64(width), np.int64(target_bytes))
    return x_batch, targets_batch


def pack(backend: Any, x: Array) -> Array:
    """x as bytes if it is bytes / 255 in every bit, else x itself, C-contiguous.  x: float32.

    Why: a batch of bytes is a quarter of the memory to read, from samples in any order.
    """
    packed, differ = backend.xp.empty(x.shape, np.uint8), backend.xp.zeros((1,), np.int32)
    backend.launch_for_each("to_bytes", x.size, x, packed, differ)
    return x if backend.to_numpy(differ)[0] else packed


def as_bytes(array: Array) -> Array:
    """A view of a C-contiguous array as bytes in one row."""
    return array.reshape(-1).view(np.uint8)
