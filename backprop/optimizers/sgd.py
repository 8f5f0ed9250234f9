"""Stochastic gradient descent: w ← w - learning_rate · g."""

from typing import Any

from backends import Array
from backprop.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent.

        w ← w - learning_rate · dL/dw

    learning_rate: a positive number; TypeError or ValueError for another.  Source: book section 6.1.2.

    >>> from backprop import TwoLayerNet
    >>> net = TwoLayerNet(2, 3, 2, rng=0)
    >>> SGD(learning_rate=0.1).update(net.params, net.gradient([[1.0, 2.0]], [1]))
    """

    def compute(self, xp: Any, w: Array, g: Array, rate: Array) -> Any:
        return w - rate * g, ()

    def __init__(self, learning_rate: float = 0.1) -> None:
        super().__init__(learning_rate)
