"""Winograd's form F(2, 3) of a convolution with a kernel of 3 × 3 and stride 1, down the rows.

Two neighbouring rows of the output, y0 and y1, read the rows x0, x1, x2 and x3. With the rows g0, g1, g2 of
the filters that makes six products of rows. Four suffice::

    m0 = (x0 - x2) g0            m1 = (x1 + x2) (g0 + g1 + g2) / 2
    m3 = (x3 - x1) g2            m2 = (x2 - x1) (g0 - g1 + g2) / 2
    y0 = m0 + m1 + m2            y1 = m1 - m2 + m3

Each of the products is one of the direct form. Only rows are added up, never columns, since the sums of
whole rows are long runs in memory. Source: Lavin and Gray, arXiv 1509.09308, 2015.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from backends.numpy.conv2d.form import Form
from backends.numpy.conv2d.geometry import Geometry


class Winograd(Form):
    """The form F(2, 3), for rows."""

    @staticmethod
    def suits(size: Geometry) -> bool:
        return size.kernel == (3, 3) and size.stride == 1

    def products(self, X: np.ndarray, W: np.ndarray, split: int) -> Iterator[tuple[int, np.ndarray]]:
        n, F, filters = X.shape[1], self.size.filters, _summed_filters(W)
        for first, count in self.blocks(self.several(4 * X[0].nbytes)):
            seen = self._windows(X, first, count, split)
            M = np.matmul(seen, filters, out=self.memory("tiles", (*seen.shape[:-1], F)))
            m0, m1, m2, m3 = M.swapaxes(0, 1)
            m0 += m1
            m0 += m2
            m3 += m1
            m3 -= m2
            yield first, M[:, 0::3].reshape(split, 2, self.columns // split, count, n, F)

    def zero_dW(self) -> np.ndarray:
        return np.zeros((4, 3 * self.size.channels, self.size.filters), self.dtype)

    def add_dW(self, total: np.ndarray, X: np.ndarray, first: int, dout: np.ndarray) -> None:
        _, columns, several, n, F = dout.shape
        d0, d1 = dout.reshape(2, columns, several * n, F)
        plus, minus = self.memory("S", (2, *d0.shape))
        np.add(d0, d1, out=plus)
        np.subtract(d0, d1, out=minus)
        seen = self._windows(X, first, several, 1)[0].swapaxes(-1, -2)
        products = self.memory("P", (4, columns, *total.shape[1:]))
        for x, d, P in zip(seen, (d0, plus, minus, d1), products, strict=True):
            np.matmul(x, d, out=P)
        total += np.add.reduce(products, axis=1)

    def dW(self, total: np.ndarray) -> np.ndarray:
        u0, u1, u2, u3 = total
        half = (u1 + u2) * 0.5
        rows = np.stack([u0 + half, (u1 - u2) * 0.5, half + u3])
        return rows.reshape(3, 3, self.size.channels, self.size.filters).transpose(3, 2, 0, 1)

    def _windows(self, X: np.ndarray, first: int, count: int, split: int) -> np.ndarray:
        """Return the windows of the four sums of rows, (split, 4, columns, count · n, 3 C)."""
        V = self.memory("V", (4, count, *X.shape[1:]))
        x0, x1, x2, x3 = (X[2 * first + i : 2 * (first + count) + i - 1 : 2] for i in range(4))
        np.subtract(x0, x2, out=V[0])
        np.add(x1, x2, out=V[1])
        np.subtract(x2, x1, out=V[2])
        np.subtract(x3, x1, out=V[3])
        kind, _, sample, column, one = V.strides
        shape = split, 4, self.columns // split, count * X.shape[1], 3 * X.shape[3]
        return as_strided(V, shape, (column, kind, split * column, sample, one))


def _summed_filters(W: np.ndarray) -> np.ndarray:
    """Return the filters (F, C, 3, 3) of the four products, (4, 1, 3 C, F)."""
    F, C = W.shape[:2]
    g0, g1, g2 = np.ascontiguousarray(W.transpose(2, 3, 1, 0)).reshape(3, 3 * C, F)
    outer, middle = (g0 + g2) * 0.5, g1 * 0.5
    return np.stack([g0, outer + middle, outer - middle, g2]).reshape(4, 1, 3 * C, F)
