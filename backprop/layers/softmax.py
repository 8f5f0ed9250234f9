"""Softmax: out = exp(x) / Σ exp(x), over the last axis."""

from backends import Array, Namespace
from backprop.layers.layer import Layer


class Softmax(Layer):
    """Probabilities from scores: out = exp(x) / Σ exp(x), over the last axis.

    The gradient is::

        dL/dx = out · (dout - Σ dout · out)

    x, out, dout and dx have the same shape, (…, C) with C at least 1. The largest x is subtracted first, so
    that no x overflows.

    Raises
    ------
    ValueError, TypeError
        In `forward`, if x has no last axis, or is not an array.

    Notes
    -----
    The gradient follows from ∂out_i/∂x_j = out_i (1 - out_i) for i = j, and -out_i out_j otherwise.
    To train a classifier, leave this layer out and use the loss SoftmaxCrossEntropy: it contains the softmax,
    and does not lose the digits of small probabilities.
    Source: book section 3.5.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import Softmax
    >>> layer = Softmax()
    >>> layer.forward(xp.asarray([[0.3, 2.9, 4.0]])).round(3)
    array([[0.018, 0.245, 0.737]])
    >>> layer.backward(xp.asarray([[1.0, 0.0, 0.0]])).round(3)
    array([[ 0.018, -0.004, -0.013]])
    """

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        e = xp.exp(x - xp.max(xp.real(x), axis=-1, keepdims=True))
        out = e / xp.sum(e, axis=-1, keepdims=True)
        return out, (out,)

    def derive(self, xp: Namespace, dout: Array, out: Array) -> Array:
        # A second time changes nothing but the rounding: it keeps the digits where an out is nearly 1.
        for _ in range(2):
            dout = dout - xp.sum(dout * out, axis=-1, keepdims=True)
        return out * dout

    def check(self, x: Array) -> None:
        if not x.shape or x.shape[-1] == 0:
            raise ValueError(
                f"Softmax.forward: x must have shape (…, C) with C at least 1, got {tuple(x.shape)}"
            )
