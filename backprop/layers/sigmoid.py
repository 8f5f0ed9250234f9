"""Sigmoid, the logistic function: out = 1 / (1 + exp(-x))."""

from typing import Any

from backends import Array
from backprop.layers.layer import Layer


class Sigmoid(Layer):
    """The logistic function, element by element: out = 1 / (1 + exp(-x)).

        dL/dx = dout · out (1 - out) = dout · e / (1 + e)²        with e = exp(-|x|)

    x, out, dout, dx: any one shape.  No x overflows, and the derivative keeps its digits in both tails, where
    out (1 - out) rounds to 0.  Raises TypeError for what is no array.  Source: book section 5.5.2.

    >>> from backprop import xp
    >>> layer = Sigmoid()
    >>> layer.forward(xp.asarray([-1e4, 0.0, 1e4]))
    array([0. , 0.5, 1. ])
    >>> layer.backward(xp.asarray([1.0, 1.0, 1.0]))
    array([0.  , 0.25, 0.  ])
    """

    def compute(self, xp: Any, x: Array) -> Any:
        negative = xp.real(x) < 0
        e = xp.exp(xp.where(negative, x, -x))
        return xp.where(negative, e, 1.0) / (1.0 + e), (e,)

    def derive(self, xp: Any, dout: Array, e: Array) -> Any:
        return dout * (e / ((1.0 + e) * (1.0 + e)))
