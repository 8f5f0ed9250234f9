"""Affine and its neighbour as one: what a loop puts in place of the two, for kernels that fuse them.

In a loop the same arrays come again and again, filled anew; so each is checked only when it first comes.
"""

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
        self._backend = backend_of(self.params["W"])
        self._x: Array = None  # the last one, checked
        self._dout: Array = None  # likewise

    def _meet(self, x: Array) -> None:
        """Check x, (N, …) with D values a sample, and remember it as (N, D)."""
        W = self.params["W"]
        backend_of(x, W)
        self._x, self._x_as_samples = x, self._samples(x, W)
        self._out_shape = x.shape[0], W.shape[1]
        self._dout = None

    def _in_shape_of_x(self, dx: Array | None) -> Array | None:
        shape = self._x.shape
        return dx if dx is None or dx.shape == shape else self._backend.reshape(dx, shape)


class AffineReLU(FusedAffine):
    """out = max(x W + b, 0).

    dz = dout where out > 0, else 0        dL/dx = dz Wᵀ        dL/dW = xᵀ dz        dL/db = Σ_n dz
    """

    def forward(self, x: Array, training: bool = True) -> Array:
        """max(x W + b, 0).  x: (N, …) with D values a sample.  Returns (N, M)."""
        if x is not self._x:
            self._meet(x)
        x, params, out = self._x_as_samples, self.params, self._buffers["out", self._out_shape]
        out = self._backend.affine_relu(x, params["W"], params["b"], out)
        self._keep(training, x, out)
        return out

    def backward(self, dout: Array, needs_dx: bool = True) -> Array | None:
        """As the backwards of ReLU and Affine.  dout: (N, M), written over in a loop and nowhere else."""
        x, out = self._recall()
        W, grads = self.params["W"], self.grads
        if dout is not self._dout:
            backend_of(dout, W)
            self._check_and_consume(dout, out.shape, W.dtype)
            self._dout = dout
        self._consume()
        dx, grads["W"], grads["b"] = self._backend.affine_relu_backward(
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
        return self._in_shape_of_x(dx)


class AffineSoftmaxCrossEntropy(FusedAffine):
    """The mean cross-entropy of softmax(x W + b), in nats: a network's last layer and its loss.

    dz = (softmax(z) - one_hot(labels)) / N        the rest as Affine's, with dz for dout
    """

    def __init__(self, affine: Affine) -> None:
        super().__init__(affine)
        self._seed = 1.0  # the last dout of backward: in a loop the next one too, so dz is computed for it

    def losses(self, x: Array, labels: Array, training: bool = True, out: Array | None = None) -> Array:
        """One loss a sample, (N,).  x: (N, …) with D values a sample.  labels: (N,) int64, in range."""
        if x is not self._x:
            self._meet(x)
        x, params, dz = self._x_as_samples, self.params, self._buffers["dz", self._out_shape]
        seed = self._seed if training else 0.0
        losses, dz = self._backend.affine_softmax_cross_entropy(
            x, params["W"], params["b"], labels, seed, dz, out
        )
        self._keep(training, x, dz)
        return losses

    def logits(self, x: Array) -> Array:
        """x W + b, what the loss is taken of.  x: (N, …) with D values a sample.  Returns (N, C)."""
        return self.forward(x, training=False)

    def backward(self, dout: Any = 1.0, needs_dx: bool = True) -> Array | None:
        """As the backwards of SoftmaxCrossEntropy and Affine.  dout: a number."""
        x, dz = self._recall()
        if dout != self._seed:
            dz *= dout / self._seed
            self._seed = dout or 1.0
        self._consume()
        grads = self.grads
        dx, grads["W"], grads["b"] = self._backend.affine_backward(
            dz,
            x,
            self.params["W"],
            grads.for_writing("W"),
            grads.for_writing("b"),
            self._buffers["dx", x.shape] if needs_dx else None,
            needs_dx,
        )
        return self._in_shape_of_x(dx)
