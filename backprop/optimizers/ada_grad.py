"""AdaGrad: each parameter has a rate of its own, which falls with the gradients that it has seen."""

from collections.abc import Collection

from backends import Array, Namespace
from backprop.optimizers.optimizer import Optimizer
from backprop.optimizers.setting import Setting


class AdaGrad(Optimizer):
    """AdaGrad: parameters with large gradients so far take smaller steps.

    The update is, with h = 0 at first::

        h ← h + (dL/dw)²        w ← w - learning_rate · dL/dw / (√h + eps)

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.
    eps : float
        Above 0. It stands outside the root, as in the book and in PyTorch, whose own value is 1e-10.
    weight_decay, decayed, clip : optional
        As for Optimizer.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Notes
    -----
    Source: book section 6.1.5; Duchi, Hazan and Singer, JMLR 12, 2011.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.optimizers import AdaGrad
    >>> net, optimizer = TwoLayerNet(2, 3, 2, rng=0), AdaGrad(learning_rate=0.1)
    >>> for _ in range(2):
    ...     optimizer.update(net.params, net.gradient([[1.0, 2.0]], [1]))
    ...
    >>> optimizer.state["h"].shape
    (17,)
    """

    zeros = ("h",)
    eps = Setting("The number added to the root. It may be changed between training runs.")

    def compute(self, xp: Namespace, w: Array, g: Array, rate: Array, h: Array) -> tuple[Array, tuple[Array]]:
        h = h + g * g
        return w - rate * g / (xp.sqrt(h) + self.eps), (h,)

    def __init__(
        self,
        learning_rate: float = 0.01,
        eps: float = 1e-7,
        *,
        weight_decay: float = 0.0,
        decayed: str | Collection[str] = "weights",
        clip: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, decayed=decayed, clip=clip)
        self.eps = eps
