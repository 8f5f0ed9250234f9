"""Softmax with loss: the mean cross-entropy of softmax(logits)."""

from typing import Any

from backends import Array, Backend, Namespace
from backprop.arrays.labels import labels
from backprop.losses.loss import Loss


class SoftmaxCrossEntropy(Loss):
    """The mean cross-entropy of softmax(logits), in nats (units of the natural logarithm).

    Loss and gradient are, for logits z::

        L = mean_n( log Σ_c exp z_nc - z_n,labels[n] )        dL/dz = (softmax(z) - one_hot(labels)) / N

    Logits are float, (N, C); labels are integers in [0, C), (N,), or one-hot, (N, C). The loss is exact
    for logits of any size: log-sum-exp, without an epsilon in the logarithm.

    Raises
    ------
    ValueError, TypeError
        In `forward`, if shapes or labels are wrong or the backends are mixed.

    Notes
    -----
    Source: book section 5.6.3.

    Examples
    --------
    >>> from backprop import xp
    >>> from backprop.losses import SoftmaxCrossEntropy
    >>> loss = SoftmaxCrossEntropy()
    >>> print(f"{loss.forward(xp.asarray([[0.0, 0.0], [1000.0, 0.0]]), [1, 0]):.4f}")
    0.3466
    >>> loss.backward()
    array([[ 0.25, -0.25],
           [ 0.  ,  0.  ]])
    """

    def compute(self, xp: Namespace, z: Array, labels: Array) -> tuple[Array, tuple[Array, Array]]:
        true = labels[:, None] == xp.arange(z.shape[1], dtype=labels.dtype)[None, :]
        z = z - xp.max(xp.real(z), axis=1, keepdims=True)
        e = xp.exp(z)
        total = xp.sum(e, axis=1, keepdims=True)
        losses = xp.reshape(xp.log(total), (-1,)) - xp.sum(xp.where(true, z, 0.0), axis=1)
        return losses, (e / total, true)

    def derive(self, xp: Namespace, dout: float, softmax: Array, true: Array) -> Array:
        return xp.where(true, softmax - 1.0, softmax) * dout

    def correct(self, xp: Namespace, z: Array, labels: Array) -> Array:
        return xp.argmax(z, axis=1) == labels

    def targets(
        self, where: str, t: Any, shape: tuple[int, ...], backend: Backend, wait: bool = False
    ) -> Array:
        return labels(where, t, shape[0], shape[1], backend, wait)

    def check(self, scores: Array) -> None:
        if len(scores.shape) != 2 or 0 in scores.shape:
            rule = "logits must have shape (N, C) with N and C at least 1"
            raise ValueError(f"SoftmaxCrossEntropy.forward: {rule}, got {scores.shape}")
