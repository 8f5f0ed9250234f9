"""Affine and its neighbour as one: what a loop puts in place of the two, for kernels that fuse them."""

from typing import Any

from backends import Array, backend_of
from backprop.layers.affine import Affine


class FusedAffine(Affine):
    """An Affine layer and what follows it at once, with the parameters and the gradients of that layer.

    affine: the layer whose arrays these are.  Shapes, dtypes and errors: as there.
    """

    def __init__(self, affine: Affine) -> None:
        super().__init__(affine.params["W"], affine.params["b"])
        self.params, self.grads, self._buffers = affine.params, affine.grads, affine._buffers


class AffineReLU(FusedAffine):
    """out = max(x W + b, 0).

    dz = dout where out > 0, else 0        dL/dx = dz Wᵀ        dL/dW = xᵀ dz        dL/db = Σ_n dz
    """

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


class AffineSoftmaxCrossEntropy(FusedAffine):
    """The mean cross-entropy of softmax(x W + b), in nats: a network's last layer and its loss.

    dz = (softmax(z) - one_hot(labels)) / N        the rest as Affine's, with dz for dout
    """

    def losses(self, x: Array, labels: Array, training: bool = True) -> Array:
        """One loss a sample, (N,).  x: (N, …) with D values a sample.  labels: (N,) int64, in range."""
        W, b = self.params["W"], self.params["b"]
        backend, shape, (d, m) = backend_of(x, W, b), x.shape, W.shape
        if shape[1:] != (d,) or x.dtype != W.dtype:
            x = self._samples(x, W)
        buffer = self._buffers["dz", (shape[0], m)]
        losses, dz = backend.affine_softmax_cross_entropy(x, W, b, labels, training, buffer)
        self._keep(training, (x, shape), dz)
        return losses

    def logits(self, x: Array) -> Array:
        """x W + b, what the loss is taken of.  x: (N, …) with D values a sample.  Returns (N, C)."""
        return self.forward(x, training=False)

    def backward(self, dout: Any = 1.0, needs_dx: bool = True) -> Array | None:
        """As the backwards of SoftmaxCrossEntropy and Affine.  dout: a number."""
        self._kept, dz = self._recall()  # the first is what Affine's backward recalls
        if dout != 1.0:
            dz *= dout
        return super().backward(dz, needs_dx)
