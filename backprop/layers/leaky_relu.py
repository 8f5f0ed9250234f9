"""LeakyReLU: out = x where x is positive, and a small multiple of x elsewhere."""

from backends import Array, Namespace
from backprop.arrays.checked_number import CheckedNumber
from backprop.layers.layer import Layer


class LeakyReLU(Layer):
    """The leaky rectified linear unit, elementwise: out = x where x > 0, else slope · x.

    The gradient, with the slope as the derivative at the kink x = 0, is::

        dL/dx = dout where x > 0, else slope · dout

    x, out, dout and dx have the same shape, which may be any. NaN stays NaN.

    Parameters
    ----------
    slope : float in [0, 1)
        The derivative at negative x. With 0 the layer is a ReLU.

    Raises
    ------
    ValueError, TypeError
        If the slope is not a number in this range, or in `forward`, if x is not an array.

    Notes
    -----
    Source: Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.layers import LeakyReLU
    >>> layer = LeakyReLU(0.1)
    >>> layer.forward(xp.asarray([-1.0, 0.0, 2.0]))
    array([-0.1,  0. ,  2. ])
    >>> layer.backward(xp.asarray([5.0, 5.0, 5.0]))
    array([0.5, 0.5, 5. ])
    """

    init_before = "he"

    def compute(self, xp: Namespace, x: Array) -> tuple[Array, tuple[Array]]:
        out = xp.where(xp.real(x) <= 0, self.slope * x, x)
        return out, (out,)

    def derive(self, xp: Namespace, dout: Array, out: Array) -> Array:
        return xp.where(xp.real(out) > 0, dout, self.slope * dout)

    slope = CheckedNumber("The derivative at negative x.", or_zero=True, below=1.0, default=0.01)

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope
        super().__init__()

    def __repr__(self) -> str:
        return f"LeakyReLU({self.slope:g})"
