"""The form of a convolution for images with few channels, as a first layer has them: one product per place.

With one channel, the direct form would multiply matrices with very few columns. Here the samples come last,
and the rows under the kernel are copied one behind the other. Then all that is under the kernel is one piece
of memory, (width · height · C, n), and again no window is copied.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from backends.numpy.conv2d.form import Form
from backends.numpy.conv2d.geometry import Geometry, Memory


class Narrow(Form):
    """The form with one product per place."""

    @staticmethod
    def suits(size: Geometry) -> bool:
        return size.channels * size.kernel[1] < 16

    def entered(self, memory: Memory, x: np.ndarray) -> np.ndarray:
        """Return images (n, C, H, W) as (2 tiles, columns, height, C, n)."""
        n, C, H, W = x.shape
        p, stride, height = self.size.padding, self.size.stride, self.size.kernel[0]
        images = self.memory("X", (max(self.rows, H + 2 * p), W + 2 * p, C, n))
        images.fill(0.0)
        images[p : p + H, p : p + W] = x.transpose(2, 3, 1, 0)
        X = memory("X", (2 * self.tiles, W + 2 * p, height, C, n))
        for k in range(height):
            X[:, :, k] = images[k : self.rows - height + k + 1 : stride]
        return X

    def products(self, X: np.ndarray, W: np.ndarray, split: int) -> Iterator[tuple[int, np.ndarray]]:
        across, n, F = self.across // split, X.shape[-1], self.size.filters
        filters = np.ascontiguousarray(W.transpose(3, 2, 1, 0)).reshape(-1, F)
        several = self.at_once(n)
        products = self.memory("M", (split, 2, several, across, n, F))
        row, column, one = X.strides[0], self.size.stride * X.strides[1], X.strides[-1]
        steps = column, row, 2 * row, split * column, one, n * one
        for first, count in self.blocks(several):
            seen = as_strided(X[2 * first :], (split, 2, count, across, n, len(filters)), steps)
            yield first, np.matmul(seen, filters, out=products[:, :, :count])

    def no_weights(self) -> np.ndarray:
        height, width = self.size.kernel
        return np.zeros((width * height * self.size.channels, self.size.filters), self.dtype)

    def add_weights(self, total: np.ndarray, X: np.ndarray, first: int, dout: np.ndarray) -> None:
        n, one, row = X.shape[-1], X.strides[-1], X.strides[0]
        shape = 2, dout.shape[1], self.across, len(total), n
        steps = row, 2 * row, self.size.stride * X.strides[1], n * one, one
        products = self.memory("P", (*shape[:-1], self.size.filters))
        np.matmul(as_strided(X[2 * first :], shape, steps), dout, out=products)
        total += np.add.reduce(products, axis=(0, 1, 2))

    def weights(self, total: np.ndarray) -> np.ndarray:
        (height, width), C, F = self.size.kernel, self.size.channels, self.size.filters
        return total.reshape(width, height, C, F).transpose(3, 2, 1, 0)
