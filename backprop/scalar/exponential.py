"""The exponential and the natural logarithm, of numbers or arrays."""

import cmath
import math
from numbers import Real
from typing import Any

from backends import backend_of, shown
from backprop.scalar.scalar_layer import ScalarLayer, is_array


class ExpLayer(ScalarLayer):
    """out = exp(x);  dL/dx = dout out.  Raises OverflowError for a number above 709.78: exp is no float.

    >>> layer = ExpLayer()
    >>> layer.forward(0.0), layer.backward(1.5)
    (1.0, 1.5)
    """

    def forward(self, x: Any) -> Any:
        """e to the power of x."""
        [x] = self._taken(x=x)
        try:
            out = backend_of(x).xp.exp(x) if is_array(x) else functions_of(x).exp(x)
        except OverflowError:
            rule = "x must be below 709.78, or exp(x) is no float"
            cure = "softmax subtracts the largest x first, which changes nothing"
            raise OverflowError(f"ExpLayer.forward: {rule}, got {shown(x)}; {cure}") from None
        self._kept = x, out
        return out

    def backward(self, dout: Any) -> Any:
        """The gradient with respect to x.  dout: in the shape of the output, or one number for all."""
        (_, out), dout = self._recall(dout)
        return dout * out


class LogLayer(ScalarLayer):
    """out = log(x), to the base e;  dL/dx = dout / x.  Raises ValueError for a number that is not above 0.

    >>> layer = LogLayer()
    >>> layer.forward(1.0), layer.backward(1.5)
    (0.0, 1.5)
    """

    def forward(self, x: Any) -> Any:
        """The natural logarithm of x."""
        [x] = self._taken(x=x)
        try:
            out = backend_of(x).xp.log(x) if is_array(x) else functions_of(x).log(x)
        except ValueError:
            cure = "a loss is computed of the scores, as SoftmaxCrossEntropy does, and takes no log of 0"
            raise ValueError(f"LogLayer.forward: x must be above 0, got {shown(x)}; {cure}") from None
        self._kept = x, out
        return out

    def backward(self, dout: Any) -> Any:
        """The gradient with respect to x.  dout: in the shape of the output, or one number for all."""
        (x, _), dout = self._recall(dout)
        return dout / x


def functions_of(number: Any) -> Any:
    """The functions of Python's numbers; complex ones, which the complex step brings, have their own."""
    return math if isinstance(number, Real) else cmath
