"""The base class of the forms of a convolution: how they read images, and hand on their products.

A tile is two rows of the output. Tiles that are computed together lie beside each other for every column,
so that the samples of all of them are the rows of one matrix.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from backends.numpy.conv2d.geometry import Geometry, Memory, padded


class Gradients(NamedTuple):
    """The gradient of some tiles of a convolution.

    first: number of the first tile.  tiles: (2, columns, several, n, F).
    of_biases: an array (…, F) whose sum is the gradient of the biases.
    """

    first: int
    tiles: np.ndarray
    of_biases: np.ndarray


class Form:
    """A way to compute a convolution of n samples, in tiles of two rows of the output.

    size: of the convolution.  tiles, columns: how many the output has.  memory: to work in.
    dtype: of all arrays.
    """

    block = 2**21  # bytes that are worked on at a time

    def __init__(self, size: Geometry, tiles: int, columns: int, memory: Memory, dtype: Any) -> None:
        self.size, self.tiles, self.columns, self.memory, self.dtype = size, tiles, columns, memory, dtype

    @staticmethod
    def suits(size: Geometry) -> bool:
        """Return whether the form can compute such a convolution, and is made for it."""
        return True

    @property
    def rows(self) -> int:
        """The number of rows that it reads of the padded images."""
        return self.size.stride * (2 * self.tiles - 1) + self.size.kernel[0]

    def entered(self, memory: Memory, x: np.ndarray) -> np.ndarray:
        """Return images (n, C, H, W) as the other methods read them.  memory: that lasts until `dW`."""
        return padded(memory, x, self.size, self.rows)

    def products(self, X: np.ndarray, W: np.ndarray, split: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield tiles of the output without biases, in memory that is used again.

        They have shape (split, 2, columns, several, n, F), after the number of the first of them.

        split: 2 to return even and odd columns separately, else 1.
        """
        raise NotImplementedError

    def zero_dW(self) -> np.ndarray:
        """Return zeros to which `add_dW` adds, in the layout of its products."""
        raise NotImplementedError

    def add_dW(self, total: np.ndarray, X: np.ndarray, first: int, dout: np.ndarray) -> None:
        """Add to `total` the gradient of the filters that stems from some tiles.

        first: number of the first of them.
        dout: the gradient of the output, (2, columns, several, n, F), contiguous.
        """
        raise NotImplementedError

    def dW(self, total: np.ndarray) -> np.ndarray:
        """Return the gradient of the filters, (F, C, height, width), from its sum over all tiles."""
        raise NotImplementedError

    def several(self, tile: int) -> int:
        """Return how many tiles of this many bytes are worked on at a time."""
        return max(1, min(self.tiles, self.block // max(tile, 1)))

    def at_once(self, n: int) -> int:
        """Return how many tiles of the output of n samples are worked on at a time."""
        return self.several(2 * self.columns * n * self.size.filters * self.dtype.itemsize)

    def blocks(self, several: int) -> Iterator[tuple[int, int]]:
        """Yield the first of each block of tiles, and their number."""
        for first in range(0, self.tiles, several):
            yield first, min(several, self.tiles - first)
