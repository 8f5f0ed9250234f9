"""The form of a convolution for images with few channels, as a first layer has them: one product per place.

With one channel, the direct form would multiply matrices with very few columns. Here the samples of a row
come last, and the rows under the kernel are copied one behind the other. Then all that is under the kernel
is one matrix in memory, (width · height · C, n), and again no window is copied.
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
        """Return images (n, C, H, W) as (columns, height, C, 2, tiles, n)."""
        n, C, H, W = x.shape
        p, stride, height = self.size.padding, self.size.stride, self.size.kernel[0]
        images = self.memory("images", (max(self.rows, H + 2 * p), W + 2 * p, C, n))
        images.fill(0.0)
        images[p : p + H, p : p + W] = x.transpose(2, 3, 1, 0)
        X = memory("X", (W + 2 * p, height, C, 2, self.tiles, n))
        for k in range(height):
            for i in (0, 1):
                first, step = k + stride * i, 2 * stride
                rows = images[first : first + step * (self.tiles - 1) + 1 : step]
                X[:, k, :, i] = rows.transpose(1, 2, 0, 3)
        return X

    def products(self, X: np.ndarray, W: np.ndarray, split: int) -> Iterator[tuple[int, np.ndarray]]:
        n, F = X.shape[-1], self.size.filters
        filters = np.ascontiguousarray(W.transpose(3, 2, 1, 0)).reshape(-1, F)
        for first, count in self.blocks(self.at_once(n)):
            seen = self._windows(X, first, count, split).swapaxes(-1, -2)
            M = np.matmul(seen, filters, out=self.memory("tiles", (*seen.shape[:-1], F)))
            yield first, M.reshape(*M.shape[:3], count, n, F)

    def zero_dW(self) -> np.ndarray:
        height, width = self.size.kernel
        return np.zeros((width * height * self.size.channels, self.size.filters), self.dtype)

    def add_dW(self, total: np.ndarray, X: np.ndarray, first: int, dout: np.ndarray) -> None:
        _, columns, several, n, F = dout.shape
        seen, rows = self._windows(X, first, several, 1)[0], dout.reshape(2, columns, several * n, F)
        products = self.memory("P", (*seen.shape[:-1], F))
        total += np.add.reduce(np.matmul(seen, rows, out=products), axis=(0, 1))

    def dW(self, total: np.ndarray) -> np.ndarray:
        (height, width), C, F = self.size.kernel, self.size.channels, self.size.filters
        return total.reshape(width, height, C, F).transpose(3, 2, 1, 0)

    def _windows(self, X: np.ndarray, first: int, count: int, split: int) -> np.ndarray:
        """Return what is under the kernel, (split, 2, columns, width · height · C, count · n)."""
        column, row, parity, one = self.size.stride * X.strides[0], X.strides[2], X.strides[3], X.strides[5]
        each, n = self.size.kernel[1] * X.shape[1] * X.shape[2], X.shape[5]
        shape = split, 2, self.columns // split, each, count * n
        return as_strided(X[..., first:, :], shape, (column, parity, split * column, row, one))
