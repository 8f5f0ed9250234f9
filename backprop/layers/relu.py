"""ReLU, the rectifier: out = max(x, 0)."""

from typing import Any

from backends import Array
from backprop.layers.layer import Layer


class ReLU(Layer):
    """The rectified linear unit, element by element: out = max(x, 0).

        dL/dx = dout where x > 0, else 0        (at the kink, x = 0, the derivative is taken as 0)

    x, out, dout, dx: any one shape.  NaN stays NaN.  Raises TypeError for what is no array.
    Source: book section 5.5.1.

    >>> from backprop import xp
    >>> layer = ReLU()
    >>> layer.forward(xp.asarray([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> layer.backward(xp.asarray([5.0, 5.0, 5.0]))
    array([0., 0., 5.])
    """

    def compute(self, xp: Any, x: Array) -> Any:
        out = xp.where(xp.real(x) <= 0, 0.0, x)
        return out, (out,)

    def derive(self, xp: Any, dout: Array, out: Array) -> Any:
        return xp.where(xp.real(out) > 0, dout, 0.0)
