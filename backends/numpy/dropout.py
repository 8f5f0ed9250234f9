"""Dropout, with NumPy's own Philox."""

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.blocks import blocks
from backends.numpy.constants import number
from backends.twins import twin
from backends.workspace import NewArrays

WORD, HALF = np.dtype("<u8"), np.dtype("<u4")  # in this order the low half of a word comes first
GENERATOR = ("generator",)  # its key in a workspace, so that no two threads use one generator


@twin("numpy", "Dropout.compute")
def dropout(
    self: Any, ws: NewArrays, x: Array, seed: Array, passes: Array, first_row: Array
) -> tuple[Array, tuple[Array], tuple[Array, ...]]:
    samples, width = len(x), prod(x.shape[1:])
    blocks_each = -(-width // 8)
    count = 8 * blocks_each  # of random numbers per sample
    generator = started(ws, int(seed[0]), int(first_row[0]) * blocks_each, int(passes[0]))
    threshold, scale = number(self.threshold, HALF), number(1.0 / (1.0 - self.ratio), x.dtype)
    out, factor = ws["out", x.shape], ws["factor", x.shape]
    rows = (array.reshape(samples, width) for array in (x, factor, out))
    for x_rows, factor_rows, out_rows in blocks(*rows):
        words = generator.random_raw(len(x_rows) * count // 2).astype(WORD, copy=False)
        kept = (words.view(HALF) >= threshold).reshape(len(x_rows), count)[:, :width]
        np.multiply(kept, scale, factor_rows)
        np.multiply(x_rows, factor_rows, out_rows)
    state = seed, np.add(passes, 1, ws["passes", passes.shape, passes.dtype]), first_row
    return out, (factor,), state


@twin("numpy", "Dropout.derive")
def dropout_derive(self: Any, ws: NewArrays, dout: Array, factor: Array) -> Array | None:
    if not ws.needs_dx:
        return None
    dx: Array = np.multiply(dout, factor, ws["dx", factor.shape])
    return dx


def started(ws: NewArrays, seed: int, first: int, passes: int) -> Any:
    """Return a Philox that begins with the block after (first, passes, 0, 0)."""
    found = ws.get(GENERATOR)
    if found is None:  # creating a generator takes ten times as long as setting its state
        generator = np.random.Philox(key=0)
        found = ws[GENERATOR] = generator, generator.state
    generator, state = found
    state["state"]["counter"][:2] = first % 2**64, passes
    state["state"]["key"][0] = seed
    generator.state = state
    return generator
