"""Stochastic gradient descent: w ← w - learning_rate · dL/dw."""

from collections.abc import Collection

from backends import Array, Namespace
from backprop.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent.

    The update is::

        w ← w - learning_rate · dL/dw

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.
    weight_decay, decayed, clip : optional
        As for Optimizer.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Notes
    -----
    Source: book section 6.1.2.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.optimizers import SGD
    >>> net = TwoLayerNet(2, 3, 2, rng=0)
    >>> SGD(learning_rate=0.1).update(net.params, net.gradient([[1.0, 2.0]], [1]))
    """

    def compute(self, xp: Namespace, w: Array, g: Array, rate: Array) -> tuple[Array, tuple[()]]:
        return w - rate * g, ()

    def __init__(
        self,
        learning_rate: float = 0.1,
        *,
        weight_decay: float = 0.0,
        decayed: str | Collection[str] = "weights",
        clip: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, decayed=decayed, clip=clip)
