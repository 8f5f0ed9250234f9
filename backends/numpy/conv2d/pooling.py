"""Max pooling of 2 × 2 behind ReLU, on the tiles of a convolution while they are in the cache.

Since max(ReLU(y + b)) = ReLU(max(y) + b), only a quarter of the values gets a bias and passes through ReLU.
The gradient needs to know which value was the largest: less than a byte for each value of the convolution.
"""

from typing import NamedTuple

import numpy as np

from backends.numpy.constants import number, ones
from backends.numpy.conv2d.form import Form
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


def unpooled(dout: np.ndarray, memory: Memory, largest: Largest, into: np.ndarray) -> np.ndarray:
    """Write the gradient of the convolution's values to where the largest were; return that of the biases.

    dout: (rows, columns, n, F).  into: (2 rows, n, 2 columns, F).
    """
    total, shape = np.zeros(dout.shape[3], dout.dtype), dout.shape[1:]
    several = max(1, Form.block // max(4 * dout[0].nbytes, 1))
    names = "given", "upper", "lower"
    memories = [memory(f"{name} gradient", (several, *shape)) for name in names]
    for first in range(0, len(dout), several):
        rows = slice(first, min(first + several, len(dout)))
        given, upper, lower = (each[: rows.stop - first] for each in memories)
        np.copyto(given, dout[rows])
        given *= largest.positive[rows]
        total += ones(given.size // len(total), given.dtype).dot(given.reshape(-1, len(total)))
        np.multiply(given, largest.upper[rows], out=upper)
        np.subtract(given, upper, out=lower)
        for i, right in enumerate((upper, lower)):
            left = np.multiply(right, largest.left[i, rows], out=given)
            right -= left
            of_row = into[2 * first + i : 2 * rows.stop : 2]
            of_row[:, :, 0::2], of_row[:, :, 1::2] = left.swapaxes(1, 2), right.swapaxes(1, 2)
    return total
