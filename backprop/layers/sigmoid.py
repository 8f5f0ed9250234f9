"""Sigmoid, the logistic function: out = 1 / (1 + exp(-x))."""

from backends import Array, backend_of
from backprop.layers.layer import Layer, require_float


class Sigmoid(Layer):
    """The logistic function, element by element: out = 1 / (1 + exp(-x)).

        dL/dx = dout · out (1 - out)

    x, out, dout, dx: any one shape.  No x overflows, and the derivative keeps its digits in both tails.
    Raises TypeError for what is no array.  Source: book section 5.5.2.

    >>> from backprop import xp
    >>> layer = Sigmoid()
    >>> layer.forward(xp.asarray([-1e4, 0.0, 1e4]))
    array([0. , 0.5, 1. ])
    >>> layer.backward(xp.asarray([1.0, 1.0, 1.0]))
    array([0.  , 0.25, 0.  ])
    """

    stateless = True
    capturable = True
    samplewise = True

    def forward(self, x: Array, training: bool = True) -> Array:
        """1 / (1 + exp(-x)), in the shape of x."""
        backend = backend_of(x)
        require_float("Sigmoid.forward: x", x)
        out = backend.sigmoid(x)
        self._keep(training, x)
        return out

    def backward(self, dout: Array) -> Array:
        """dout times the derivative at x."""
        (x,) = self._recall()
        backend = backend_of(dout, x)
        self._check_and_consume(dout, x.shape, x.dtype)
        return backend.sigmoid_backward(dout, x)
