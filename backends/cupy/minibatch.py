"""Gathering a batch, also from samples stored as bytes."""

from math import prod
from typing import Any

import numpy as np

from backends.cupy.array import Array
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
    """Return x as bytes if it is exactly bytes / 255, else x itself.  x: float32, C-contiguous.

    Why: a batch of bytes reads a quarter of the memory, from samples in random order.
    """
    packed, differ = backend.xp.empty(x.shape, np.uint8), backend.xp.zeros((1,), np.int32)
    backend.launch_for_each("to_bytes", x.size, x, packed, differ)
    return x if backend.to_numpy(differ)[0] else packed


def as_bytes(array: Array) -> Array:
    """Return a C-contiguous array as a flat view of bytes."""
    return array.reshape(-1).view(np.uint8)
