"""Nesterov's momentum: the gradient is taken where the velocity leads."""

from backends import Array, Namespace
from backprop.optimizers.momentum import Momentum


class Nesterov(Momentum):
    """Stochastic gradient descent with Nesterov's momentum.

    The update is, with v = 0 at first::

        v ← momentum · v - learning_rate · dL/dw        w ← w + momentum · v - learning_rate · dL/dw

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
    Nesterov's method takes the gradient at u + momentum · v, ahead of the parameters u, and then moves u by
    the new velocity. Here w is that point ahead, so that one gradient, at w, is enough: put
    u = w - momentum · v with the old and with the new v, and u ← u + v becomes the update above.

    It is PyTorch's SGD with nesterov=True while the rate is constant. When the rate changes, the velocity
    keeps the rates at which it was gained, as in `Momentum`.

    Source: Nesterov, Doklady AN SSSR 269, 1983; in this form Bengio, Boulanger-Lewandowski and Pascanu, arXiv
    1212.0901, 2012, section 3.5.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.optimizers import Nesterov
    >>> net, optimizer = TwoLayerNet(2, 3, 2, rng=0), Nesterov(learning_rate=0.1)
    >>> for _ in range(2):
    ...     optimizer.update(net.params, net.gradient([[1.0, 2.0]], [1]))
    ...
    >>> optimizer.state["v"].shape
    (17,)
    """

    def compute(
        self, xp: Namespace, w: Array, g: Array, rate: Array, momentum: Array, v: Array
    ) -> tuple[Array, tuple[Array]]:
        v = momentum * v - rate * g
        return w + momentum * v - rate * g, (v,)
