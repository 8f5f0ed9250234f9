"""Affine and ReLU as one: what a training loop puts in place of the two, for a backend that fuses them."""

from backends import Array, backend_of
from backprop.layers.affine import Affine


class AffineReLU(Affine):
    """out = max(x W + b, 0), with the parameters and the gradients of an Affine layer.

        dz = dout where out > 0, else 0        dL/dx = dz Wᵀ        dL/dW = xᵀ dz        dL/db = Σ_n dz

    affine: the layer whose arrays these are.  Shapes, dtypes and errors: as there.
    """

    stateless = True

    def __init__(self, affine: Affine) -> None:
        super().__init__(affine.params["W"], affine.params["b"])
        self.params, self.grads, self._buffers = affine.params, affine.grads, affine._buffers

    def forward(self, x: Array, training: bool = True) -> Array:
        """max(x W + b, 0).  x: (N, …) with D values a sample.  Returns (N, M)."""
        W, b = self.params["W"], self.params["b"]
        backend, shape, (d, m) = backend_of(x, W, b), x.shape, W.shape
        if shape[1:] != (d,) or x.dtype != W.dtype:
            x = self._samples(x, W)
        out = backend.affine_relu(x, W, b, self._buffers["out", (shape[0], m)])
        self._keep(training, x, shape, out)
        return out

    def backward(self, dout: Array, needs_dx: bool = True) -> Array | None:
        """As the backwards of ReLU and Affine.  dout: (N, M), written over in a loop and nowhere else."""
        x, shape, out = self._recall()
        W, grads = self.params["W"], self.grads
        backend = backend_of(dout, x, W)
        self._check_and_consume(dout, out.shape, W.dtype)
        dx, grads["W"], grads["b"] = backend.affine_relu_backward(
            dout,
            out,
            x,
            W,
            grads.for_writing("W"),
            grads.for_writing("b"),
            self._buffers["dx", x.shape] if needs_dx else None,
            dout if self._in_loop else None,
            needs_dx,
        )
        return dx if dx is None or dx.shape == shape else backend.reshape(dx, shape)
