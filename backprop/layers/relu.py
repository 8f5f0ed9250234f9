"""ReLU: out = max(x, 0)."""

from backends import Array, Namespace
from backprop.layers.layer import Layer


class ReLU(Layer):
    """The rectified linear unit, elementwise: out = max(x, 0).

    The gradient, with 0 as the derivative at the kink x = 0, is::

        dL/dx = dout where x > 0, else 0

    x, out, dout and dx have the same shape, which may be any. NaN stays NaN.

    Raises
    ------
    TypeError
        In `forward`, if x is not an array.

    Notes
    -----
    Source: book section 5.5.1.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import ReLU
    >>> layer = ReLU()
    >>> layer.forward(xp.asarray([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> layer.backward(xp.asarray([5.0, 5.0, 5.0]))
    array([0., 0., 5.])
    """

    init_before = "he"

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        out = xp.where(xp.real(x) <= 0, 0.0, x)
        return out, (out,)

    def derive(self, xp: Namespace, dout: Array, out: Array) -> Array:
        return xp.where(xp.real(out) > 0, dout, 0.0)
