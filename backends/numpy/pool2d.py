"""MaxPool2D and AveragePool2D, one position of the window after the other, on channels-last memory.

The values under one position of all windows are a strided view, (H', N, W', C), with long runs of channels.
"""

from collections.abc import Iterator
from math import inf
from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.memory_order import IMAGES, ROWS, contiguous
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "MaxPool2D.compute")
def max_pool2d(self: Any, ws: NewArrays, x: Array) -> tuple[Array, tuple[Array, Array]]:
    first, *others = under(self, padded(self, ws, x, -inf))
    out, larger = ws["out", first.shape], ws["largest", (self.size**2, *first.shape), np.dtype(bool)]
    np.copyto(out, first)
    for values in others:
        np.maximum(out, values, out=out)
    left = ws["left", first.shape, np.dtype(bool)]  # windows whose largest value is not found yet
    left.fill(True)
    for found, values in zip(larger, (first, *others), strict=True):
        np.equal(values, out, out=found)
        found &= left
        left ^= found
    return out.transpose(IMAGES), (x, larger.transpose(2, 4, 0, 1, 3))


@twin("numpy", "MaxPool2D.derive")
def max_pool2d_derive(self: Any, ws: NewArrays, dout: Array, x: Array, largest: Array) -> Array | None:
    if not ws.needs_dx:
        return None
    given = contiguous(ws, "given", dout.transpose(ROWS))
    dx, work = empty_like(self, ws, x), ws["work", given.shape]
    for into, here in zip(under(self, dx), largest.transpose(2, 3, 0, 4, 1), strict=True):
        into += np.multiply(given, here, out=work)
    return without_padding(self, dx, x).transpose(IMAGES)


@twin("numpy", "AveragePool2D.compute")
def average_pool2d(self: Any, ws: NewArrays, x: Array) -> tuple[Array, tuple[Array]]:
    first, *others = under(self, padded(self, ws, x, 0.0))
    out = ws["out", first.shape]
    np.copyto(out, first)
    for values in others:
        out += values
    out /= self.size**2
    return out.transpose(IMAGES), (x,)


@twin("numpy", "AveragePool2D.derive")
def average_pool2d_derive(self: Any, ws: NewArrays, dout: Array, x: Array) -> Array | None:
    if not ws.needs_dx:
        return None
    given, dx = dout.transpose(ROWS), empty_like(self, ws, x)
    share = np.divide(given, self.size**2, out=ws["share", given.shape])
    for into in under(self, dx):
        into += share
    return without_padding(self, dx, x).transpose(IMAGES)


def padded(pool: Any, ws: NewArrays, x: Array, outside: float) -> Array:
    """Return images (N, C, H, W) as (H, N, W, C), with the padding around them."""
    if not pool.padding:
        return contiguous(ws, "x", x.transpose(ROWS))
    images = empty_like(pool, ws, x, outside)
    without_padding(pool, images, x)[...] = x.transpose(ROWS)
    return images


def empty_like(pool: Any, ws: NewArrays, x: Array, value: float = 0.0) -> Array:
    """Return an array for padded images, filled with this value."""
    N, C, H, W = x.shape
    images: Array = ws["images", (H + 2 * pool.padding, N, W + 2 * pool.padding, C)]
    images.fill(value)
    return images


def without_padding(pool: Any, images: Array, x: Array) -> Array:
    """Return the part of padded images in which the images themselves lie."""
    p = pool.padding
    return images[p : p + x.shape[2], :, p : p + x.shape[3]]


def under(pool: Any, images: Array) -> Iterator[Array]:
    """Yield what lies under each position of the window, row by row, (H', N, W', C)."""
    size, stride = pool.size, pool.stride
    rows, columns = ((images.shape[axis] - size) // stride * stride + 1 for axis in (0, 2))
    for i in range(size):
        for j in range(size):
            yield images[i : i + rows : stride, :, j : j + columns : stride]
