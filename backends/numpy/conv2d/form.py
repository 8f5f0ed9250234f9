"""What the forms of a convolution have in common: how they read images and hand on their products."""

from collections.abc import Iterator

import numpy as np

from backends.numpy.conv2d.geometry import Geometry, Memory, padded


class Form:
    """A way to compute a convolution of n samples, in tiles of two rows of the output.

    tiles: number of tiles.  across: columns of the output.  memory: to work in.
    """

    block = 2**19  # bytes that are worked on at a time

    def __init__(self, size: Geometry, tiles: int, across: int, memory: Memory) -> None:
        self.size, self.tiles, self.across, self.memory = size, tiles, across, memory

    @staticmethod
    def suits(size: Geometry) -> bool:
        """Return whether the form can compute such a convolution, and is made for it."""
        return True

    @property
    def rows(self) -> int:
        """The number of rows that it reads of the padded images."""
        return self.size.stride * (2 * self.tiles - 1) + self.size.kernel[0]

    def entered(self, memory: Memory, x: np.ndarray) -> np.ndarray:
        """Return images (n, C, H, W) as the other methods read them.  memory: that lasts till `weights`."""
        return padded(memory, "X", x, self.size, self.rows)

    def products(self, X: np.ndarray, W: np.ndarray, split: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield tiles of the output without biases, in memory that is used again.

        They have shape (split, 2, several, columns, n, F), after the number of the first of them.

        split: 2 to return even and odd columns separately, else 1.
        """
        raise NotImplementedError

    def weights(self, X: np.ndarray, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of the filters, (F, C, height, width).

        dout: the gradient of the output, (2 tiles, n, across, F).
        """
        raise NotImplementedError

    def several(self, tile: int) -> int:
        """Return how many tiles of this many bytes are worked on at a time."""
        return max(1, min(self.tiles, self.block // max(tile, 1)))

    def blocks(self, several: int) -> Iterator[tuple[int, int]]:
        """Yield the first of each block of tiles, and their number."""
        for first in range(0, self.tiles, several):
            yield first, min(several, self.tiles - first)
