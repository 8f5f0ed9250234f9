"""AveragePool2D: the mean of the values under each window."""

from backends import Array, Namespace
from backprop.layers.pool2d import Pool2D
from backprop.layers.windows import added_back, windows


class AveragePool2D(Pool2D):
    """Average pooling: the mean of each channel under each window.

    Every value under a window gets the same share of its gradient. With K = size²::

        dL/dx = Σ dout / K        over the windows that x lies in

    x has shape (N, C, H, W). out has shape (N, C, H', W') with H' = (H + 2 padding - size) // stride + 1,
    and W' likewise: the last rows and columns are left out where the window does not fit.

    Parameters
    ----------
    size : int
        Height and width of the window.
    stride : int, optional
        Step between two windows, in both directions; by default size, so that they lie side by side.
    padding : int
        Rows and columns of zeros on each side of the image, which count in the mean; at most half of size.

    Raises
    ------
    ValueError, TypeError
        If a setting or a shape is wrong, or the window is larger than the padded image.

    Notes
    -----
    Source: LeCun et al., Proceedings of the IEEE 86, 1998, section II-A: subsampling.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import AveragePool2D
    >>> layer = AveragePool2D(2)
    >>> layer.forward(xp.asarray([[[[1.0, 5.0, 2.0, 2.0], [3.0, 7.0, 2.0, 0.0]]]]))
    array([[[[4. , 1.5]]]])
    >>> layer.backward(xp.asarray([[[[4.0, 8.0]]]]))
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    """

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        return xp.mean(windows(xp, x, self.kernel, self.stride, self.padding), axis=2), (x,)

    def derive(self, xp: Namespace, dout: Array, x: Array) -> Array:
        N, C, *counts = dout.shape
        share = dout[:, :, None, ...] / self.size**2
        values = xp.broadcast_to(share, (N, C, self.size**2, *counts))
        return added_back(xp, values, x.shape, self.kernel, self.stride, self.padding)
