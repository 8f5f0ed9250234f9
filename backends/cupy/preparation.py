"""Clipping and weight decay before an update. A gradient is written into ws["step"], a loop's own memory."""

from typing import Any

import numpy as np

from backends.cupy import launch
from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin

PARTS = 256  # most blocks of a sum of squares: each thread of a block of `clip` adds one of their sums


@kernel_twin("decayed")
def decayed(ws: Any, w: Array, g: Array, decay: Array) -> Array:
    out = ws["step", g.shape]
    ws.backend.launch_for_each("decay_gradient", g.size, w, g, decay, out)
    return out


@kernel_twin("shrunk")
def shrunk(ws: Any, w: Array, rate: Array, decay: Array) -> Array:
    ws.backend.launch_for_each("shrink", w.size, w, rate, decay)
    return w


@kernel_twin("clipped")
def clipped(ws: Any, g: Array, most: Array) -> Array:
    blocks = min(-(-g.size // launch.THREADS), launch.MAX_BLOCKS, PARTS)
    out, parts = ws["step", g.shape], ws["parts", (blocks,)]
    ws.backend.launch("sums_of_squares", blocks, g, parts, np.int64(g.size))
    ws.backend.launch_for_each("clip", g.size, g, parts, most, out, np.int32(blocks))
    return out
