"""GELU, the Gaussian error linear unit: out = x Φ(x)."""

from backends import Array, Namespace
from backprop.layers.layer import Layer
from backprop.layers.normal import FARTHEST, normal


class GELU(Layer):
    """The Gaussian error linear unit, elementwise: out = x Φ(x).

    Φ is the cumulative distribution of the standard normal distribution, and φ its density, the derivative
    of Φ. By the product rule the gradient is::

        dL/dx = dout · (Φ(x) + x φ(x))        with φ(x) = exp(-x²/2) / √(2π)

    x, out, dout and dx have the same shape, which may be any. This is the exact form, not the approximation
    by tanh. No x overflows, and both tails keep their digits.

    Raises
    ------
    TypeError
        In `forward`, if x is not an array.

    Notes
    -----
    Source: Hendrycks and Gimpel, arXiv 1606.08415, 2016.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import GELU
    >>> layer = GELU()
    >>> layer.forward(xp.asarray([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    >>> layer.backward(xp.asarray([1.0, 1.0, 1.0])).round(4)
    array([-0.0833,  0.5   ,  1.0833])
    """

    init_before = "he"

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        near = xp.where(xp.real(x) < -FARTHEST, -FARTHEST, xp.where(xp.real(x) > FARTHEST, FARTHEST, x))
        cumulative, density = normal(xp, near)
        out = xp.where(xp.real(x) > 0, x, near) * cumulative  # -inf · 0 would be NaN
        return out, (cumulative + near * density,)

    def derive(self, xp: Namespace, dout: Array, slope: Array) -> Array:
        return dout * slope
