"""The sigmoid as one node: the book's four (times -1, exp, plus 1, reciprocal) grouped together."""

from typing import Any

from backends import backend_of
from backprop.scalar.exponential import functions_of
from backprop.scalar.scalar_layer import ScalarLayer, is_array


class SigmoidLayer(ScalarLayer):
    """out = 1 / (1 + exp(-x));  dL/dx = dout out (1 - out) = dout e / (1 + e)² with e = exp(-|x|).

    x, dout: numbers or arrays. No x overflows.  Raises RuntimeError for a backward before any forward.
    `backprop.graph.book.sigmoid` takes it apart; `backprop.layers.Sigmoid` is the one to train with.
    Source: book section 5.5.2.

    >>> layer = SigmoidLayer()
    >>> layer.forward(0.0), layer.backward(1.0)
    (0.5, 0.25)
    >>> layer.forward(-1000.0), layer.backward(1.0)
    (0.0, 0.0)
    """

    def forward(self, x: Any) -> Any:
        """The sigmoid of x."""
        [x] = self._taken(x=x)
        if is_array(x):
            xp = backend_of(x).xp
            negative = xp.real(x) < 0
            e = xp.exp(xp.where(negative, x, -x))
            out = xp.where(negative, e, xp.ones_like(e)) / (1.0 + e)
        else:
            e = functions_of(x).exp(x if x.real < 0 else -x)
            out = (e if x.real < 0 else 1.0) / (1.0 + e)
        self._kept = x, e, out
        return out

    def backward(self, dout: Any) -> Any:
        """The gradient with respect to x.  dout: in the shape of the output, or one number for all."""
        (_, e, _), dout = self._recall(dout)
        return dout * (e / ((1.0 + e) * (1.0 + e)))
