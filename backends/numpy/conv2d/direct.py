"""The direct form of a convolution, for any kernel and stride: small products on the padded images.

The images lie as X (row, sample, column, channel). So the numbers under one row of the kernel are neighbours
in memory, and for each place the samples of a batch are the rows of a matrix, (n, width · C): no window is
copied. The output is the sum of a product with the filters for each row of the kernel.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from backends.numpy.conv2d.form import Form


class Direct(Form):
    """The direct form: a product for each row of the kernel."""

    def products(self, X: np.ndarray, W: np.ndarray, split: int) -> Iterator[tuple[int, np.ndarray]]:
        height, width = self.size.kernel
        columns, n, each, F = self.columns // split, X.shape[1], width * self.size.channels, self.size.filters
        filters = np.ascontiguousarray(W.transpose(2, 3, 1, 0)).reshape(height, 1, 1, 1, 1, each, F)
        row, sample, column, one = X.strides
        down, right = self.size.stride * row, self.size.stride * column
        steps = row, right, down, split * right, 2 * down, sample, one
        for first, count in self.blocks(self.at_once(n)):
            # Rows of the kernel, even and odd columns, the two rows of a tile, columns, tiles, samples, and
            # what is under a row of the kernel.
            shape = height, split, 2, columns, count, n, each
            M = self.memory("tiles", (*shape[:-1], F))
            np.matmul(as_strided(X[2 * self.size.stride * first :], shape, steps), filters, out=M)
            for other in M[1:]:
                M[0] += other
            yield first, M[0]

    def zero_dW(self) -> np.ndarray:
        height, width = self.size.kernel
        return np.zeros((height, width * self.size.channels, self.size.filters), self.dtype)

    def add_dW(self, total: np.ndarray, X: np.ndarray, first: int, dout: np.ndarray) -> None:
        several, n = dout.shape[2:4]
        row, sample, column, one = X.strides
        down, right = self.size.stride * row, self.size.stride * column
        shape = len(total), 2, self.columns, several, total.shape[1], n
        steps = row, down, right, 2 * down, one, sample
        seen = as_strided(X[2 * self.size.stride * first :], shape, steps)
        products = self.memory("P", (*shape[:-1], self.size.filters))
        total += np.add.reduce(np.matmul(seen, dout, out=products), axis=(1, 2, 3))

    def dW(self, total: np.ndarray) -> np.ndarray:
        size = self.size
        return total.reshape(*size.kernel, size.channels, size.filters).transpose(3, 2, 0, 1)
