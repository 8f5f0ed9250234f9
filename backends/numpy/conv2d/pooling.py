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
    """Where the largest values of n samples were: masks of bytes.

    left: in that row of the window, the left value was the larger one, (2, rows, columns, n, F).
    upper: that of the upper row was the largest, (rows, columns, n, F).
    positive: the output is above 0, (rows, columns, n, F).
    """

    left: np.ndarray
    upper: np.ndarray
    positive: np.ndarray

    @classmethod
    def empty(cls, memory: Memory, shape: Pair) -> "Largest":
        """Return masks with arbitrary values, for an output of this shape."""
        return cls(memory("left", (2, *shape)), memory("upper", shape), memory("positive", shape))


def pooled(values: np.ndarray, bias: np.ndarray, memory: Memory, largest: Largest, rows: slice) -> np.ndarray:
    """Return these rows of the pooled output, (rows, columns, n, F), and note where they came from.

    values: the convolution's, even and odd columns of even and odd rows, (2, 2, rows, columns, n, F).
    """
    left, right = values
    zero = number(0.0, bias.dtype)
    np.greater_equal(left, right, out=largest.left[:, rows])
    upper, lower = np.maximum(left, right, out=memory("larger", left.shape))
    np.greater_equal(upper, lower, out=largest.upper[rows])
    out: np.ndarray = np.maximum(upper, lower, out=upper)
    out += bias
    np.greater(out, zero, out=largest.positive[rows])
    np.maximum(out, zero, out=out)
    return out


def unpooled(dout: np.ndarray, largest: Largest, several: int, memory: Memory) -> Iterator[Gradients]:
    """Yield the gradient of the convolution: that of the output, where the largest values were.

    dout: (rows, columns, n, F).  several: tiles at a time.
    """
    rows, columns, n, F = dout.shape
    memories = [memory(name, (several, columns, n, F)) for name in ("given", "upper", "lower", "left")]
    tiles = memory("tiles", (2, several, 2 * columns, n, F))
    for first in range(0, rows, several):
        block = slice(first, min(first + several, rows))
        given, upper, lower, left = (each[: block.stop - first] for each in memories)
        np.copyto(given, dout[block])
        given *= largest.positive[block]
        np.multiply(given, largest.upper[block], out=upper)
        np.subtract(given, upper, out=lower)
        found = tiles[:, : block.stop - first]
        for of_row, of_window, is_left in zip(found, (upper, lower), largest.left[:, block], strict=True):
            np.multiply(of_window, is_left, out=left)
            np.subtract(of_window, left, out=of_row[:, 1::2])
            np.copyto(of_row[:, 0::2], left)
        yield Gradients(first, found, given)
