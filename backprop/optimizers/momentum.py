"""Momentum: gradients accelerate a velocity, and the velocity moves the parameters."""

from backends import Array, Namespace
from backprop.arrays.checks import positive_number
from backprop.optimizers.optimizer import Optimizer


class Momentum(Optimizer):
    """Stochastic gradient descent with momentum.

    The update is, with v = 0 at first::

        v ← momentum · v - learning_rate · dL/dw        w ← w + v

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.
    momentum : float
        In [0, 1). It may be changed between training runs.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Notes
    -----
    Source: book section 6.1.4.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.optimizers import Momentum
    >>> net, optimizer = TwoLayerNet(2, 3, 2, rng=0), Momentum(learning_rate=0.1)
    >>> for _ in range(2):
    ...     optimizer.update(net.params, net.gradient([[1.0, 2.0]], [1]))
    ...
    >>> optimizer.state["v"].shape
    (17,)
    """

    zeros = ("v",)

    def compute(self, xp: Namespace, w: Array, g: Array, rate: Array, v: Array) -> tuple[Array, tuple[Array]]:
        v = self.momentum * v - rate * g
        return w + v, (v,)

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.9) -> None:
        super().__init__(learning_rate)
        self.momentum = momentum

    @property
    def momentum(self) -> float:
        """The momentum. It may be changed between training runs."""
        return self._momentum

    @momentum.setter
    def momentum(self, value: float) -> None:
        name = type(self).__name__
        self._momentum = positive_number(name, "momentum", value, or_zero=True, below=1.0)
