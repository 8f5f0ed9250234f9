"""Softmax with loss: the mean cross-entropy of softmax(logits)."""

from typing import Any

from backends import Array, Backend, Namespace
from backprop.arrays.checked_number import CheckedNumber
from backprop.arrays.labels import labels
from backprop.losses.loss import Loss


class SoftmaxCrossEntropy(Loss):
    """The mean cross-entropy of softmax(logits), in nats (units of the natural logarithm).

    Loss and gradient are, for logits z and a target distribution t of each sample::

        L = mean_n( log Σ_c exp z_nc - Σ_c t_nc z_nc )        dL/dz = (softmax(z) - t) / N

    Logits are float, (N, C). Targets are labels or soft. Labels are integers in [0, C), (N,), or one-hot,
    (N, C): then t is 1 at the label and otherwise 0. Soft targets are t itself: floats, (N, C), at least 0,
    with a sum of 1 in every row. The loss is exact for logits of any size: log-sum-exp, without an epsilon
    in the logarithm.

    Parameters
    ----------
    label_smoothing : float in [0, 1)
        Share s that is spread evenly over all classes: t is replaced by (1 - s) t + s / C.

    Raises
    ------
    ValueError, TypeError
        If label_smoothing is wrong; in `forward`, if shapes or targets are wrong or the backends are mixed.

    Notes
    -----
    A sample is correct if its largest logit is where its target is largest, smoothed or not.
    Source: book section 5.6.3. Label smoothing: Szegedy et al., arXiv 1512.00567, 2015, section 7.

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
    >>> print(f"{loss.forward(xp.asarray([[0.0, 0.0]]), [[0.25, 0.75]]):.4f}")
    0.6931
    >>> loss.backward()
    array([[ 0.25, -0.25]])
    """

    def compute(self, xp: Namespace, z: Array, targets: Array) -> tuple[Array, tuple[Array, Array]]:
        t = self._distribution(xp, z, targets)
        z = z - xp.max(xp.real(z), axis=1, keepdims=True)
        e = xp.exp(z)
        total = xp.sum(e, axis=1, keepdims=True)
        # Where t is 0, a logit of -inf counts 0 as well.
        losses = xp.reshape(xp.log(total), (-1,)) - xp.sum(t * xp.where(xp.real(t) > 0.0, z, 0.0), axis=1)
        return losses, (e / total, t)

    def derive(self, xp: Namespace, dout: float, softmax: Array, t: Array) -> Array:
        return (softmax - t) * dout

    def _distribution(self, xp: Namespace, z: Array, targets: Array) -> Array:
        """Return t, (N, C), from labels (N,) or soft targets (N, C)."""
        classes, s = z.shape[1], self.label_smoothing
        if len(targets.shape) == 1:
            one_hot = targets[:, None] == xp.arange(classes, dtype=targets.dtype)[None, :]
            targets = xp.astype(one_hot, xp.real(z).dtype)
        return (1.0 - s) * targets + s / classes if s else targets

    def correct(self, xp: Namespace, z: Array, targets: Array) -> Array:
        labels = targets if len(targets.shape) == 1 else xp.argmax(targets, axis=1)
        return xp.argmax(z, axis=1) == labels

    def probabilities(self, xp: Namespace, z: Array) -> Array:
        e = xp.exp(z - xp.max(z, axis=1, keepdims=True))
        return e / xp.sum(e, axis=1, keepdims=True)

    def decisions(self, xp: Namespace, z: Array) -> Array:
        return xp.argmax(z, axis=1)

    label_smoothing = CheckedNumber(
        "Share that is spread over all classes.", or_zero=True, below=1.0, default=0.0
    )

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def targets(
        self, where: str, t: Any, shape: tuple[int, ...], backend: Backend, wait: bool = False
    ) -> Array:
        return labels(where, t, shape[0], shape[1], backend, wait, soft=True)

    def check(self, scores: Array) -> None:
        if len(scores.shape) != 2 or 0 in scores.shape:
            rule = "logits must have shape (N, C) with N and C at least 1"
            raise ValueError(f"SoftmaxCrossEntropy.forward: {rule}, got {scores.shape}")

    def __repr__(self) -> str:
        s = self.label_smoothing
        return f"SoftmaxCrossEntropy({f'label_smoothing={s:g}' if s else ''})"
