"""Clipping and weight decay before an update. A gradient is written into ws["step"], a loop's own memory."""

import numpy as np
from numpy import ndarray as Array

from backends.numpy.blocks import with_work
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "clipped")
def clipped(ws: NewArrays, g: Array, most: Array) -> Array:
    norm = np.sqrt(g.dot(g))
    if norm <= most:
        return g
    shorter: Array = np.multiply(g, most / norm, ws["step", g.shape])
    return shorter


@twin("numpy", "decayed")
def decayed(ws: NewArrays, w: Array, g: Array, decay: Array) -> Array:
    total: Array = ws["step", g.shape]
    for block, gradient, share, sums, work in with_work(ws, w, g, decay, total):
        np.multiply(block, share, work)
        np.add(gradient, work, sums)
    return total


@twin("numpy", "shrunk")
def shrunk(ws: NewArrays, w: Array, rate: Array, decay: Array) -> Array:
    for block, share, work in with_work(ws, w, decay):
        np.multiply(block, share, work)
        work *= rate
        block -= work
    return w
