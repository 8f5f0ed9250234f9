"""ReLU, the rectifier: out = max(x, 0)."""

from backends import Array, backend_of
from backprop.layers.layer import Layer, require_float


class ReLU(Layer):
    """The rectified linear unit, element by element: out = max(x, 0).

        dL/dx = dout where x > 0, else 0        (at the kink, x = 0, the derivative is taken as 0)

    x, out, dout, dx: any one shape.  Raises TypeError for what is no array.  Source: book section 5.5.1.

    >>> from backprop import xp
    >>> layer = ReLU()
    >>> layer.forward(xp.asarray([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> layer.backward(xp.asarray([5.0, 5.0, 5.0]))
    array([0., 0., 5.])
    """

    stateless = True
    capturable = True
    samplewise = True

    def forward(self, x: Array, training: bool = True) -> Array:
        """max(x, 0), in the shape of x."""
        backend = backend_of(x)
        require_float("ReLU.forward: x", x)
        out = backend.relu(x, self._buffers["out", x.shape])
        self._keep(training, out)
        return out

    def backward(self, dout: Array) -> Array:
        """dout where x was positive, else 0."""
        (out,) = self._recall()
        backend = backend_of(dout, out)
        self._check_and_consume(dout, out.shape, out.dtype)
        return backend.relu_backward(dout, out, self._buffers["dx", out.shape])
