"""Flatten: each sample as one row of numbers."""

from math import prod

from backends import Array, Namespace
from backprop.layers.layer import Layer


class Flatten(Layer):
    """Each sample as one row: (N, …) becomes (N, D).

    The gradient is dout in the shape of x.

    x has shape (N, …) with D values per sample, out (N, D). The values keep their order, that of the last
    axis first. Where the memory of x allows it, out is a view of x and dx one of dout.

    Raises
    ------
    ValueError, TypeError
        In `forward`, if x is 0-d, or is not an array.

    Notes
    -----
    Affine does this by itself, so a network needs the layer only before layers that do not.
    Source: book section 7.4.3.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import Flatten
    >>> layer = Flatten()
    >>> layer.forward(xp.ones((5, 2, 3, 4))).shape
    (5, 24)
    >>> layer.backward(xp.ones((5, 24))).shape
    (5, 2, 3, 4)
    """

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        return xp.reshape(x, (x.shape[0], prod(x.shape[1:]))), (x,)

    def derive(self, xp: Namespace, dout: Array, x: Array) -> Array:
        return xp.reshape(dout, x.shape)

    def check(self, x: Array) -> None:
        if not x.shape:
            raise ValueError("Flatten.forward: x must have shape (N, …), got ()")
