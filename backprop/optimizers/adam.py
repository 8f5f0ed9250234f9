"""Adam: moving averages of the gradient and of its square, both corrected for their start at 0."""

from collections.abc import Collection
from math import inf, log

from backends import Array, Namespace
from backprop.optimizers.optimizer import Optimizer
from backprop.optimizers.setting import Setting


class Adam(Optimizer):
    """Adam: steps of about the learning rate, whatever the scale of the gradient.

    The update is, with m = v = 0 and t = 0 at first::

        t ← t + 1
        m ← beta1 · m + (1 - beta1) · dL/dw
        v ← beta2 · v + (1 - beta2) · (dL/dw)²
        w ← w - learning_rate · m̂ / (√v̂ + eps),  with  m̂ = m / (1 - beta1ᵗ)  and  v̂ = v / (1 - beta2ᵗ)

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.
    beta1, beta2 : float
        In [0, 1).
    eps : float
        Above 0. It stands outside the root, as in the paper and in PyTorch.
    weight_decay, decayed, clip : optional
        As for Optimizer.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Notes
    -----
    m̂ and v̂ are as in the paper. The code with the book corrects the learning rate instead, so that eps has
    more weight in its first steps.

    Source: book section 6.1.6; Kingma and Ba, arXiv 1412.6980, 2015, algorithm 1.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.optimizers import Adam
    >>> net, optimizer = TwoLayerNet(2, 3, 2, rng=0), Adam(learning_rate=0.01)
    >>> for _ in range(2):
    ...     optimizer.update(net.params, net.gradient([[1.0, 2.0]], [1]))
    ...
    >>> sorted(optimizer.state), float(optimizer.state["t"])
    (['m', 't', 'v'], 2.0)
    """

    zeros, numbers = ("m", "v"), ("t",)
    beta1 = Setting(
        "The share of m that is kept. It may be changed between training runs.", or_zero=True, below=1.0
    )
    beta2 = Setting(
        "The share of v that is kept. It may be changed between training runs.", or_zero=True, below=1.0
    )
    eps = Setting("The number added to the root. It may be changed between training runs.")

    def compute(
        self, xp: Namespace, w: Array, g: Array, rate: Array, m: Array, v: Array, t: Array
    ) -> tuple[Array, tuple[Array, Array, Array]]:
        t = t + 1.0
        m = self.beta1 * m + (1.0 - self.beta1) * g
        v = self.beta2 * v + (1.0 - self.beta2) * (g * g)
        m_hat, v_hat = m / correction(xp, self.beta1, t), v / correction(xp, self.beta2, t)
        return w - rate * m_hat / (xp.sqrt(v_hat) + self.eps), (m, v, t)

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.0,
        decayed: str | Collection[str] = "weights",
        clip: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, decayed=decayed, clip=clip)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps


def correction(xp: Namespace, beta: float, t: Array) -> Array:
    """Return 1 - betaᵗ, as -expm1(t · log beta), which in float32 keeps the digits that 1 - betaᵗ loses."""
    return -xp.expm1(t * (log(beta) if beta else -inf))
