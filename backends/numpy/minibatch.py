"""Gathering a batch.

Why mode "clip": the default mode writes through a temporary buffer, to leave `out` unchanged on an error.
"""

from numpy import ndarray as Array

from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "minibatch")
def minibatch(ws: NewArrays, x: Array, targets: Array, batch: Array) -> tuple[Array, Array]:
    n = len(batch)
    return (
        x.take(batch, 0, ws["x", (n, *x.shape[1:])], "clip"),
        targets.take(batch, 0, ws["targets", (n, *targets.shape[1:]), targets.dtype], "clip"),
    )
