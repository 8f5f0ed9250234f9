"""Sigmoid, the logistic function: out = 1 / (1 + exp(-x))."""

from backends import Array, Namespace
from backprop.layers.layer import Layer


class Sigmoid(Layer):
    """The logistic function, elementwise: out = 1 / (1 + exp(-x)).

    The gradient is::

        dL/dx = dout · out (1 - out) = dout · e / (1 + e)²        with e = exp(-|x|)

    x, out, dout and dx have the same shape, which may be any. No x overflows, and the derivative keeps its
    digits for large x, where 1 - out rounds to 0.

    Raises
    ------
    TypeError
        In `forward`, if x is not an array.

    Notes
    -----
    Source: book section 5.5.2.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import Sigmoid
    >>> layer = Sigmoid()
    >>> layer.forward(xp.asarray([-1e4, 0.0, 1e4]))
    array([0. , 0.5, 1. ])
    >>> layer.backward(xp.asarray([1.0, 1.0, 1.0]))
    array([0.  , 0.25, 0.  ])
    """

    init_before = "xavier"

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        negative = xp.real(x) < 0
        e = xp.exp(xp.where(negative, x, -x))
        return xp.where(negative, e, 1.0) / (1.0 + e), (e,)

    def derive(self, xp: Namespace, dout: Array, e: Array) -> Array:
        return dout * (e / ((1.0 + e) * (1.0 + e)))
