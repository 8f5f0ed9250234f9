"""Tanh, the hyperbolic tangent: out = (1 - exp(-2x)) / (1 + exp(-2x))."""

from backends import Array, Namespace
from backprop.layers.layer import Layer


class Tanh(Layer):
    """The hyperbolic tangent, elementwise: out = tanh(x).

    The gradient is::

        dL/dx = dout · (1 - out²) = dout · 4 e / (1 + e)²        with e = exp(-2 |x|)

    x, out, dout and dx have the same shape, which may be any. No x overflows, and the derivative keeps its
    digits in both tails, where 1 - out² rounds to 0.

    Raises
    ------
    TypeError
        In `forward`, if x is not an array.

    Notes
    -----
    Source: book section 6.2.2, which compares the initial weights for it.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import Tanh
    >>> layer = Tanh()
    >>> layer.forward(xp.asarray([-1e4, 0.0, 1e4]))
    array([-1.,  0.,  1.])
    >>> layer.backward(xp.asarray([1.0, 1.0, 1.0]))
    array([0., 1., 0.])
    """

    init_before = "xavier"

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        root = xp.exp(xp.where(xp.real(x) < 0, x, -x))  # squared, since 2 x may overflow
        return xp.tanh(x), (root * root,)

    def derive(self, xp: Namespace, dout: Array, e: Array) -> Array:
        return dout * (4.0 * e / ((1.0 + e) * (1.0 + e)))
