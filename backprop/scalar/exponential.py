"""The exponential and the natural logarithm, of numbers or arrays."""

import cmath
import math
from numbers import Real
from typing import Any

from backends import backend_of, shown
from backprop.scalar.scalar_layer import ScalarLayer, is_array


class ExpLayer(ScalarLayer):
    """The exponential function.

    ::

        out = exp(x)
        dL/dx = dout out

    Raises
    ------
    OverflowError
        If x is a number above 709.78, where exp(x) exceeds the largest float.
    TypeError, ValueError, RuntimeError
        As for `ScalarLayer`.

    Notes
    -----
    Source: book section 5.5.2.

    Examples
    --------
    >>> from backprop.scalar import ExpLayer
    >>> layer = ExpLayer()
    >>> layer.forward(0.0), layer.backward(1.5)
    (1.0, 1.5)
    """

    def forward(self, x: Any) -> Any:
        """Return e to the power of x."""
        [x] = self._taken(x=x)
        try:
            out = backend_of(x).xp.exp(x) if is_array(x) else functions_of(x).exp(x)
        except OverflowError:
            rule = "x must be below 709.78, where exp(x) overflows"
            cure = "softmax first subtracts the largest x, which changes nothing"
            raise OverflowError(f"ExpLayer.forward: {rule}, got {shown(x)}; {cure}") from None
        self._kept = x, out
        return out

    def backward(self, dout: Any) -> Any:
        """Return the gradient with respect to x.  dout: in the shape of the output, or one number."""
        (_, out), dout = self._recall(dout)
        return dout * out


class LogLayer(ScalarLayer):
    """The natural logarithm.

    ::

        out = log(x)
        dL/dx = dout / x

    Raises
    ------
    ValueError
        If x is a number that is not above 0, or as for `ScalarLayer`.
    TypeError, RuntimeError
        As for `ScalarLayer`.

    Notes
    -----
    Source: book appendix A.

    Examples
    --------
    >>> from backprop.scalar import LogLayer
    >>> layer = LogLayer()
    >>> layer.forward(1.0), layer.backward(1.5)
    (0.0, 1.5)
    """

    def forward(self, x: Any) -> Any:
        """Return the natural logarithm of x."""
        [x] = self._taken(x=x)
        try:
            out = backend_of(x).xp.log(x) if is_array(x) else functions_of(x).log(x)
        except ValueError:
            cure = "for a loss, compute it from the logits, as SoftmaxCrossEntropy does"
            raise ValueError(f"LogLayer.forward: x must be above 0, got {shown(x)}; {cure}") from None
        self._kept = x, out
        return out

    def backward(self, dout: Any) -> Any:
        """Return the gradient with respect to x.  dout: in the shape of the output, or one number."""
        (x, _), dout = self._recall(dout)
        return dout / x


def functions_of(number: Any) -> Any:
    """Return `math` for a real number, `cmath` for a complex one, as the complex-step check passes."""
    return math if isinstance(number, Real) else cmath
