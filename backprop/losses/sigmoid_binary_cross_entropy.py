"""Sigmoid with loss: the mean binary cross-entropy of sigmoid(logits), for yes-or-no targets."""

from typing import Any

from backends import Array, Backend, Namespace, kind
from backprop.arrays.entering import host_values, index_of
from backprop.losses.loss import Loss, in_shape


class SigmoidBinaryCrossEntropy(Loss):
    """The binary cross-entropy of sigmoid(logits), summed over the outputs of a sample, in nats.

    Loss and gradient are, for logits z and targets t::

        L = mean_n( Σ_m log(1 + exp z_nm) - t_nm z_nm )        dL/dz = (sigmoid(z) - t) / N

    Logits are float, (N, …). Targets have the same shape; for logits (N, 1) they may have shape (N,). They
    lie in [0, 1]: 1 for yes, 0 for no, or a probability; integers and bools are accepted. Each output answers
    a question of its own, so a sample may belong to several classes or to none.

    Raises
    ------
    ValueError, TypeError
        In `forward`, if shapes or targets are wrong or the backends are mixed.

    Notes
    -----
    The loss is exact for logits of any size, without an epsilon in the logarithm. With w, the share of the
    target on the other side of 0 from z, and p, the probability that sigmoid gives to that side, loss and
    gradient keep their digits where both are small::

        w = 1 - t for z > 0, else t        p = exp(-|z|) / (1 + exp(-|z|))
        L = mean_n( Σ_m |z_nm| w_nm + log(1 + exp(-|z_nm|)) )        dL/dz = ±(w - p) / N, + for z > 0

    A sample is correct if each of its logits is above 0 where the target is above ½, and only there.
    Source: Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.2.

    Examples
    --------
    >>> from backprop import asarray
    >>> from backprop.losses import SigmoidBinaryCrossEntropy
    >>> loss = SigmoidBinaryCrossEntropy()
    >>> print(f"{loss.forward(asarray([[0.0], [1000.0]]), [[1], [1]]):.4f}")
    0.3466
    >>> loss.backward()
    array([[-0.25],
           [ 0.  ]])
    """

    def compute(self, xp: Namespace, z: Array, t: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        positive = xp.real(z) > 0.0
        size, w = xp.where(positive, z, -z), xp.where(positive, 1.0 - t, t)
        e = xp.exp(-size)
        losses = xp.sum(size * w + xp.log1p(e), axis=tuple(range(1, len(z.shape))))
        return losses, (positive, w, e / (1.0 + e))

    def derive(self, xp: Namespace, dout: float, positive: Array, w: Array, p: Array) -> Array:
        return xp.where(positive, w - p, p - w) * dout

    def correct(self, xp: Namespace, z: Array, t: Array) -> Array:
        right = xp.where(t > 0.5, z > 0.0, z <= 0.0)  # NaN is on neither side
        return xp.all(right, axis=tuple(range(1, len(z.shape))))

    def probabilities(self, xp: Namespace, z: Array) -> Array:
        e = xp.exp(-xp.abs(z))
        return xp.where(z > 0.0, 1.0, e) / (1.0 + e)

    def decisions(self, xp: Namespace, z: Array) -> Array:
        return z > 0.0

    def targets(
        self, where: str, t: Any, shape: tuple[int, ...], backend: Backend, wait: bool = False
    ) -> Array:
        t = in_shape(where, t, shape, backend, wait)
        host = host_values(t, backend, wait)
        if host is not None and (outside := (host < 0) | (host > 1)).any():
            index = index_of(int(outside.argmax()), host.shape)
            got, cure = f"{host[tuple(index)]:g} at {index}", _cure(host)
            raise ValueError(f"{where}: targets must lie in 0..1, got {got}{cure}")
        return t if kind(t) == "f" else backend.asarray(t, "float64")


def _cure(host: Any) -> str:
    """Return what to do about targets outside [0, 1], or ""."""
    if ((host == -1) | (host == 1)).all():
        return "; for -1 and 1 pass (t + 1) / 2"
    if (host >= 0).all() and (host % 1 == 0).all():
        return "; for labels of several classes use SoftmaxCrossEntropy"
    return "; for measured values use MeanSquaredError"
