"""The sizes of a convolution, and the padded memory that it reads."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from backends.numpy.memory_order import ROWS

Pair = tuple[int, ...]  # along the height and along the width
Memory = Callable[[str, tuple[int, ...]], np.ndarray]  # arbitrary values, by name and shape


class Geometry(NamedTuple):
    """Sizes of a convolution.

    image: height and width without padding.  channels: C.  filters: F.  kernel: its height and width.
    """

    image: Pair
    channels: int
    filters: int
    kernel: Pair
    stride: int
    padding: int

    @property
    def counts(self) -> tuple[int, int]:
        """Height and width of the output."""
        height, width = (
            (size + 2 * self.padding - k) // self.stride + 1
            for size, k in zip(self.image, self.kernel, strict=True)
        )
        return height, width

    @property
    def of_dx(self) -> "Geometry":
        """The convolution that returns the gradient of the image, from that of the output in `spread`."""
        height, width = (size + k - 1 for size, k in zip(self.image, self.kernel, strict=True))
        return Geometry((height, width), self.filters, self.channels, self.kernel, 1, 0)


def padded(memory: Memory, x: np.ndarray, size: Geometry, rows: int) -> np.ndarray:
    """Return images (n, C, H, W) as (rows, n, width, C), with the padding, and zeros in further rows."""
    n, C, H, W = x.shape
    p = size.padding
    X = memory("X", (max(rows, H + 2 * p), n, W + 2 * p, C))
    inside = _inside(X, slice(p, p + H), slice(p, p + W))
    np.copyto(inside, x.transpose(ROWS))
    return X


def spread(
    memory: Memory, samples: int, size: Geometry, counts: Pair, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return zeros for the gradient of the output, (rows, n, width, F), and its place there.

    The convolution `size.of_dx`, with the filters turned round, makes of them the gradient of the image. So
    neighbours lie a stride apart, and zeros surround them as far as the kernel reaches.
    """
    height, width = size.of_dx.image
    (length, down, shown_rows), (breadth, columns, shown_columns) = (
        _along(needed, k, count, size.stride, size.padding)
        for needed, k, count in zip((max(rows, height), width), size.kernel, counts, strict=True)
    )
    D = memory("D", (length, samples, breadth, size.filters))
    inside = _inside(D, down, columns)
    return D[shown_rows, :, shown_columns], inside


def _along(needed: int, k: int, count: int, stride: int, padding: int) -> tuple[int, slice, slice]:
    """Return for one axis its length, where the gradient of the output lies, and the part to convolve."""
    first, stop = k - 1 - padding, stride * (count - 1) + 1
    lead, skip = max(first, 0), max(-first, 0)
    return max(skip + needed, lead + stop), slice(lead, lead + stop, stride), slice(skip, skip + needed)


def _inside(array: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    """Return these rows and columns of an array (rows, n, columns, C); everything around them becomes 0."""
    if rows.step in (None, 1):
        array[: rows.start], array[rows.stop :] = 0.0, 0.0
        array[rows, :, : columns.start], array[rows, :, columns.stop :] = 0.0, 0.0
    else:
        array.fill(0.0)
    return array[rows, :, columns]
