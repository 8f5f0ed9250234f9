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
    """The direct form."""

    def products(self, X: np.ndarray, W: np.ndarray, split: int) -> Iterator[tuple[int, np.ndarray]]:
        height, width = self.size.kernel
        across, n, each, F = self.across // split, X.shape[1], width * self.size.channels, self.size.filters
        filters = np.ascontiguousarray(W.transpose(2, 3, 1, 0)).reshape(height, 1, 1, 1, 1, each, F)
        several = self.several(2 * self.across * n * F * X.itemsize)
        products = self.memory("M", (height, split, 2, several, across, n, F))
        row, sample, column, one = X.strides
        down, right = self.size.stride * row, self.size.stride * column
        steps = row, right, down, 2 * down, split * right, sample, one
        for first, count in self.blocks(several):
            M, shape = products[:, :, :, :count], (height, split, 2, count, across, n, each)
            np.matmul(as_strided(X[2 * self.size.stride * first :], shape, steps), filters, out=M)
            for other in M[1:]:
                M[0] += other
            yield first, M[0]

    def weights(self, X: np.ndarray, dout: np.ndarray) -> np.ndarray:
        height, width = self.size.kernel
        n, each, F = X.shape[1], width * self.size.channels, self.size.filters
        total = np.zeros((height, each, F), X.dtype)
        products = self.memory("P", (height, self.across, each, F))
        row, sample, column, one = X.strides
        shape, steps = (height, self.across, each, n), (row, self.size.stride * column, one, sample)
        for y in range(2 * self.tiles):
            seen = as_strided(X[self.size.stride * y :], shape, steps)
            np.matmul(seen, dout[y].swapaxes(0, 1), out=products)
            total += np.add.reduce(products, axis=1)
        return total.reshape(height, width, self.size.channels, F).transpose(3, 2, 0, 1)
