"""MaxPool2D: the largest value under each window."""

from math import inf

from backends import Array, Namespace
from backprop.layers.pool2d import Pool2D
from backprop.layers.windows import added_back, windows


class MaxPool2D(Pool2D):
    """Max pooling: the largest value of each channel under each window.

    The gradient goes where the largest value came from; of several, to the first, row by row::

        dL/dx = Σ dout of the windows in which x is the largest value

    x has shape (N, C, H, W). out has shape (N, C, H', W') with H' = (H + 2 padding - size) // stride + 1,
    and W' likewise: the last rows and columns are left out where the window does not fit.

    Parameters
    ----------
    size : int
        Height and width of the window.
    stride : int, optional
        Step between two windows, in both directions; by default size, so that they lie side by side.
    padding : int
        Rows and columns of -∞ on each side of the image; at most half of size.

    Raises
    ------
    ValueError, TypeError
        If a setting or a shape is wrong, or the window is larger than the padded image.

    Notes
    -----
    Source: book sections 7.3 and 7.4.4.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import MaxPool2D
    >>> layer = MaxPool2D(2)
    >>> layer.forward(xp.asarray([[[[1.0, 5.0, 2.0, 2.0], [3.0, 4.0, 2.0, 0.0]]]]))
    array([[[[5., 2.]]]])
    >>> layer.backward(xp.asarray([[[[10.0, 20.0]]]]))
    array([[[[ 0., 10., 20.,  0.],
             [ 0.,  0.,  0.,  0.]]]])
    """

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array, Array]]:
        values = windows(xp, x, self.kernel, self.stride, self.padding, outside=-inf)
        positions = xp.reshape(xp.arange(values.shape[2]), (1, 1, values.shape[2], 1, 1))
        largest = xp.argmax(xp.real(values), axis=2, keepdims=True) == positions
        return xp.sum(xp.where(largest, values, 0.0), axis=2), (x, largest)

    def derive(self, xp: Namespace, dout: Array, x: Array, largest: Array) -> Array:
        values = xp.where(largest, dout[:, :, None, ...], 0.0)
        return added_back(xp, values, x.shape, self.kernel, self.stride, self.padding)
