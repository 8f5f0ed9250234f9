"""Momentum: gradients accelerate a velocity, and the velocity moves the parameters."""

from collections.abc import Collection

from backends import Array, Namespace
from backprop.optimizers.optimizer import Optimizer
from backprop.optimizers.setting import Setting


class Momentum(Optimizer):
    """Stochastic gradient descent with momentum, in the book's form.

    The update is, with v = 0 at first::

        v ← momentum · v - learning_rate · dL/dw        w ← w + v

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.
    momentum : float
        In [0, 1). It may be changed between updates.
    weight_decay, decayed, clip : optional
        As for Optimizer.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Notes
    -----
    PyTorch's form is v ← momentum · v + dL/dw, w ← w - learning_rate · v. At a constant rate it moves the
    parameters alike. When the rate changes, it differs: here the velocity keeps the rates at which it was
    gained, there the new rate holds for all of it at once. PyTorch's `dampening` is 0 here.

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

    settings = ("learning_rate", "momentum")
    zeros = ("v",)
    momentum = Setting("The momentum. It may be changed between updates.", or_zero=True, below=1.0)

    def compute(
        self, xp: Namespace, w: Array, g: Array, rate: Array, momentum: Array, v: Array
    ) -> tuple[Array, tuple[Array]]:
        v = momentum * v - rate * g
        return w + v, (v,)

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        *,
        weight_decay: float = 0.0,
        decayed: str | Collection[str] = "weights",
        clip: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, decayed=decayed, clip=clip)
        self.momentum = momentum
