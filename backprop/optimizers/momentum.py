"""Momentum: the gradient pushes a velocity, and the velocity moves the parameters."""

from typing import Any

from backends import Array
from backprop.arrays.checks import positive_number
from backprop.optimizers.optimizer import Optimizer


class Momentum(Optimizer):
    """Stochastic gradient descent with momentum.

        v ← momentum · v - learning_rate · dL/dw        w ← w + v        (v = 0 at first)

    learning_rate: a positive number.  momentum: in [0, 1).  TypeError or ValueError for others.
    Source: book section 6.1.4.

    >>> from backprop import TwoLayerNet
    >>> net, optimizer = TwoLayerNet(2, 3, 2, rng=0), Momentum(learning_rate=0.1)
    >>> for _ in range(2):
    ...     optimizer.update(net.params, net.gradient([[1.0, 2.0]], [1]))
    >>> optimizer.state["v"].shape
    (17,)
    """

    zeros = ("v",)

    def compute(self, xp: Any, w: Array, g: Array, rate: Array, v: Array) -> Any:
        v = self.momentum * v - rate * g
        return w + v, (v,)

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.9) -> None:
        super().__init__(learning_rate)
        self.momentum = momentum

    @property
    def momentum(self) -> float:
        """The momentum; it may be assigned between two trainings."""
        return self._momentum

    @momentum.setter
    def momentum(self, value: float) -> None:
        name = type(self).__name__
        self._momentum = positive_number(name, "momentum", value, or_zero=True, below=1.0)
