"""Softmax with loss: the mean cross-entropy of softmax(logits)."""

from typing import Any

from backends import Array, backend_of
from backprop import checks
from backprop.layers.layer import Layer, require_float


class SoftmaxCrossEntropy(Layer):
    """Mean cross-entropy of softmax(logits), in nats.

        L = mean_n( log Σ_c exp z_nc - z_n,labels[n] )        dL/dz = (softmax(z) - one_hot(labels)) / N

    logits: (N, C) float.  labels: (N,) int in [0, C) or (N, C) one-hot.  Exact for logits of any size:
    log-sum-exp, and no epsilon in the logarithm.  Raises ValueError for wrong shapes or labels, TypeError for
    mixed backends.
    Source: book section 5.6.3.

    >>> from backprop import xp
    >>> loss = SoftmaxCrossEntropy()
    >>> print(f"{loss.forward(xp.asarray([[0.0, 0.0], [1000.0, 0.0]]), [1, 0]):.4f}")
    0.3466
    >>> loss.backward()
    array([[ 0.25, -0.25],
           [ 0.  ,  0.  ]])
    """

    stateless = True
    capturable = True

    def forward(self, logits: Array, labels: Any, training: bool = True) -> Array:
        """The mean loss, a 0-d value on the device.  labels: on the host, or where the logits are."""
        backend = backend_of(logits)
        require_float("SoftmaxCrossEntropy.forward: logits", logits)
        if len(logits.shape) != 2 or 0 in logits.shape:
            raise ValueError(
                f"SoftmaxCrossEntropy.forward: logits must have shape (N, C), N and C at least 1, "
                f"got {logits.shape}"
            )
        count, classes = logits.shape
        labels = checks.labels("SoftmaxCrossEntropy.forward", labels, count, classes, backend)
        return backend.mean(self.losses(logits, labels, training))

    def losses(self, logits: Array, labels: Array, training: bool = True, out: Array | None = None) -> Array:
        """One loss a sample, (N,), for labels that are known to be right: (N,) int64 on the device.

        out: where to write them.
        """
        losses, dlogits = backend_of(logits, labels).softmax_cross_entropy(
            logits, labels, 1.0 if training else 0.0, out
        )
        self._keep(training, dlogits)
        return losses

    def logits(self, x: Array) -> Array:
        """What the loss is taken of: x itself."""
        return x

    def backward(self, dout: Any = 1.0) -> Array:
        """The gradient of dout · L with respect to the logits, (N, C).  dout: a number or a 0-d array."""
        (dlogits,) = self._recall()
        if isinstance(dout, (int, float)):
            dout = float(dout)
            self._consume()
        else:
            backend_of(dlogits, dout)
            self._check_and_consume(dout, (), dlogits.dtype)
        return dlogits if isinstance(dout, float) and dout == 1.0 else dlogits * dout
