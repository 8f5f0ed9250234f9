"""The sigmoid as a single node, which groups the book's four: times -1, exp, plus 1, reciprocal."""

from typing import Any

from backends import backend_of
from backprop.scalar.exponential import functions_of
from backprop.scalar.scalar_layer import ScalarLayer, is_array


class SigmoidLayer(ScalarLayer):
    """The sigmoid as a single node.

    ::

        out = 1 / (1 + exp(-x))
        dL/dx = dout out (1 - out) = dout e / (1 + e)²,  where e = exp(-|x|)

    It overflows for no x.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As for `ScalarLayer`.

    Notes
    -----
    `backprop.graph.book.sigmoid` computes it from four layers. Train with `backprop.layers.Sigmoid`.
    Source: book section 5.5.2.

    Examples
    --------
    >>> from backprop.scalar import SigmoidLayer
    >>> layer = SigmoidLayer()
    >>> layer.forward(0.0), layer.backward(1.0)
    (0.5, 0.25)
    >>> layer.forward(-1000.0), layer.backward(1.0)
    (0.0, 0.0)
    """

    def forward(self, x: Any) -> Any:
        """Return the sigmoid of x."""
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
        """Return the gradient with respect to x.  dout: in the shape of the output, or one number."""
        (_, e, _), dout = self._recall(dout)
        return dout * (e / ((1.0 + e) * (1.0 + e)))
