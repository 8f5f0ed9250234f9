"""Dropout, with Philox on the device: a captured step draws new masks in every replay."""

from math import prod
from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import blocks_for, kernel_twin


@kernel_twin("Dropout.compute")
def dropout(
    self: Any, ws: Any, x: Array, seed: Array, passes: Array, first_row: Array
) -> tuple[Array, tuple[Array], tuple[Array, ...]]:
    width = prod(x.shape[1:])
    per_sample = -(-width // 8)
    size = len(x) * per_sample
    out, factor, next_pass = ws["out", x.shape], ws["factor", x.shape], ws["passes", (1,), np.uint64]
    arrays = x, seed, passes, first_row, out, factor, next_pass
    numbers = np.int64(self.threshold), np.float32(1.0 / (1.0 - self.ratio)), np.int64(width)
    counts = np.int64(per_sample), np.int64(size)
    ws.backend.launch("dropout", max(1, blocks_for(size)), *arrays, *numbers, *counts)
    return out, (factor,), (seed, next_pass, first_row)


@kernel_twin("Dropout.derive")
def dropout_derive(self: Any, ws: Any, dout: Array, factor: Array) -> Array | None:
    if not ws.needs_dx:
        return None
    dx = ws["dx", factor.shape]
    ws.backend.launch_for_each("dropout_backward", factor.size, dout, factor, dx)
    return dx
