"""GlobalAveragePool2D: the mean of each channel over the whole image."""

from backends import Array, Namespace
from backprop.layers.layer import Layer
from backprop.layers.windows import require_images


class GlobalAveragePool2D(Layer):
    """Global average pooling: the mean of each channel over the image.

    Every value gets the same share of its channel's gradient::

        dL/dx = dout / (H W)

    x has shape (N, C, H, W), out (N, C). So the layers behind it do not depend on the size of the image.

    Raises
    ------
    ValueError, TypeError
        In `forward`, if x has another number of axes or no pixels, or is not an array.

    Notes
    -----
    Source: Lin, Chen and Yan, arXiv 1312.4400, 2013, section 3.2.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import GlobalAveragePool2D
    >>> layer = GlobalAveragePool2D()
    >>> layer.forward(xp.asarray([[[[1.0, 2.0], [3.0, 6.0]]]]))
    array([[3.]])
    >>> layer.backward(xp.asarray([[4.0]]))
    array([[[[1., 1.],
             [1., 1.]]]])
    """

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        return xp.mean(x, axis=(2, 3)), (x,)

    def derive(self, xp: Namespace, dout: Array, x: Array) -> Array:
        share = dout[:, :, None, None] / (x.shape[2] * x.shape[3])
        return share * xp.ones_like(x)

    def check(self, x: Array) -> None:
        require_images("GlobalAveragePool2D.forward", x, (1, 1), 0)
