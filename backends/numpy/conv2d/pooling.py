"""Max pooling of 2 × 2 behind ReLU, on the tiles of a convolution while they are in the cache.

Since max(ReLU(y + b)) = ReLU(max(y) + b), only a quarter of the values gets a bias and passes through ReLU.
The gradient needs to know which value was the largest: less than a byte for each value of the convolution.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from backends.numpy.constants import number
from backends.numpy.conv2d.form import Gradients
from backends.numpy.conv2d.geometry import Memory, Pair


class Largest(NamedTuple):
    """The places of the largest values of n samples, as masks of bytes.

    left: in that row of the window, the left value was the larger one, (2, columns, rows, n, F).
    upper: that of the upper row was the largest, (columns, rows, n, F).
    positive: the output is above 0, (columns, rows, n, F).
    """

    left: np.ndarray
    upper: np.ndarray
    positive: np.ndarray

    @classmethod
    def empty(cls, memory: Memory, shape: Pair) -> "Largest":
        """Return masks with arbitrary values, for an output of this shape, (columns, rows, n, F)."""
        return cls(memory("left", (2, *shape)), memory("upper", shape), memory("positive", shape))

    def of(self, first: int, count: int) -> "Largest":
        """Return the masks of these rows."""
        rows = slice(first, first + count)
        return Largest(self.left[:, :, rows], self.upper[:, rows], self.positive[:, rows])


def pooled(values: np.ndarray, bias: np.ndarray, memory: Memory, largest: Largest) -> np.ndarray:
    """Return rows of the pooled output, (columns, rows, n, F), and note where they came from.

    values: the convolution's, even and odd columns of even and odd rows, (2, 2, columns, rows, n, F).
    bias: of n samples, (n, F).  largest: of these rows.
    """
    left, right = values
    zero = np.zeros_like(bias)
    np.greater_equal(left, right, out=largest.left)
    upper, lower = np.maximum(left, right, out=memory("values", left.shape))
    np.greater_equal(upper, lower, out=largest.upper)
    out: np.ndarray = np.maximum(upper, lower, out=upper)
    out += bias
    np.greater(out, number(0.0, out.dtype), out=largest.positive)
    np.maximum(out, zero, out=out)
    return out


def unpooled(dout: np.ndarray, largest: Largest, several: int, memory: Memory) -> Iterator[Gradients]:
    """Yield the gradient of the convolution: that of the output, where the largest values were.

    dout: (columns, rows, n, F).  several: tiles at a time.
    """
    columns, rows, n, F = dout.shape
    for first in range(0, rows, several):
        count = min(several, rows - first)
        masks, shape = largest.of(first, count), (columns, count, n, F)
        given, upper, lower = (memory(name, shape) for name in ("values", "upper", "lower"))
        np.copyto(given, dout[:, first : first + count])
        given *= masks.positive
        np.multiply(given, masks.upper, out=upper)
        np.subtract(given, upper, out=lower)
        tiles = memory("tiles", (2, 2 * columns, count, n, F))
        for of_row, of_window, is_left in zip(tiles, (upper, lower), masks.left, strict=True):
            left = np.multiply(of_window, is_left, out=of_row[0::2])
            np.subtract(of_window, left, out=of_row[1::2])
        yield Gradients(first, tiles, given)
