"""RMSProp: each gradient is divided by the root of a moving average of its squares."""

from collections.abc import Collection

from backends import Array, Namespace
from backprop.optimizers.optimizer import Optimizer
from backprop.optimizers.setting import Setting


class RMSProp(Optimizer):
    """RMSProp: AdaGrad that forgets gradients of long ago.

    The update is, with h = 0 at first::

        h ← beta · h + (1 - beta) · (dL/dw)²        w ← w - learning_rate · dL/dw / (√h + eps)

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.
    beta : float
        In [0, 1). PyTorch calls it `alpha`, with 0.99.
    eps : float
        Above 0. It stands outside the root, as in PyTorch, whose own value is 1e-8.
    weight_decay, decayed, clip : optional
        As for Optimizer.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Notes
    -----
    h begins at 0 without a correction, so the first steps are up to 1 / √(1 - beta) times as long.

    Source: book section 6.1.5; Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6e, 2012.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.optimizers import RMSProp
    >>> net, optimizer = TwoLayerNet(2, 3, 2, rng=0), RMSProp(learning_rate=0.01)
    >>> for _ in range(2):
    ...     optimizer.update(net.params, net.gradient([[1.0, 2.0]], [1]))
    ...
    >>> optimizer.state["h"].shape
    (17,)
    """

    zeros = ("h",)
    beta = Setting(
        "The share of h that is kept. It may be changed between training runs.", or_zero=True, below=1.0
    )
    eps = Setting("The number added to the root. It may be changed between training runs.")

    def compute(self, xp: Namespace, w: Array, g: Array, rate: Array, h: Array) -> tuple[Array, tuple[Array]]:
        h = self.beta * h + (1.0 - self.beta) * (g * g)
        return w - rate * g / (xp.sqrt(h) + self.eps), (h,)

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta: float = 0.9,
        eps: float = 1e-7,
        *,
        weight_decay: float = 0.0,
        decayed: str | Collection[str] = "weights",
        clip: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, decayed=decayed, clip=clip)
        self.beta, self.eps = beta, eps
