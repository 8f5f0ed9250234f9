"""The sigmoid as the chapter takes it apart: times -1, exp, plus 1, reciprocal."""

from typing import Any

from backprop.scalar.arithmetic import AddLayer, MulLayer, ReciprocalLayer
from backprop.scalar.exponential import ExpLayer


class SigmoidLayer:
    """out = 1 / (1 + exp(-x));  dL/dx = dout out (1 - out), each of four layers giving its factor.

    x, dout: numbers or arrays.  Raises RuntimeError for a backward before any forward, OverflowError for a
    number below -709.78.  Source: book section 5.5.2; `backprop.layers.Sigmoid` is the one to train with.

    >>> layer = SigmoidLayer()
    >>> layer.forward(0.0), layer.backward(1.0)
    (0.5, 0.25)
    """

    def __init__(self) -> None:
        self.times, self.exp = MulLayer(), ExpLayer()
        self.plus, self.reciprocal = AddLayer(), ReciprocalLayer()

    def forward(self, x: Any) -> Any:
        """The sigmoid of x."""
        return self.reciprocal.forward(self.plus.forward(self.exp.forward(self.times.forward(x, -1)), 1))

    def backward(self, dout: Any) -> Any:
        """The gradient with respect to x.  dout: in the shape of the output, or one number for all."""
        dplus, _ = self.plus.backward(self.reciprocal.backward(dout))
        dx, _ = self.times.backward(self.exp.backward(dplus))
        return dx
