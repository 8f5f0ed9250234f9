"""The arguments of `train`, checked before anything is changed."""

from typing import Any

from backends import listed, shown
from backprop.arrays.checks import positive_integer
from backprop.networks import Network
from backprop.optimizers import SGD, Optimizer
from backprop.optimizers.fitting import rate_in

ITERATIONS = 10_000
LEARNING_RATE = 0.1


def require_network(where: str, net: Any) -> None:
    """Raise unless this is a network with finite parameters."""
    if not isinstance(net, Network):
        raise TypeError(f"{where}: net must be a backprop.networks.Network, got {shown(net)}")
    if not net.backend.all_finite(net.params.flat):
        wrong = [name for name, array in net.params.items() if not net.backend.all_finite(array)]
        cure = "create the network again if an earlier run diverged"
        raise ValueError(f"{where}: {listed(wrong)} must be finite before the first iteration; {cure}")


def optimizer_for(where: str, optimizer: Any, learning_rate: Any, dtype: Any) -> Optimizer:
    """Return the optimizer, or an SGD with this learning rate, or the default one."""
    if optimizer is None:
        rate = LEARNING_RATE if learning_rate is None else learning_rate
        return SGD(rate_in(dtype, where, rate))
    if not isinstance(optimizer, Optimizer):
        rule = "optimizer must be an Optimizer, such as Momentum(0.1)"
        raise TypeError(f"{where}: {rule}, got {shown(optimizer)}")
    if learning_rate is not None:
        cure = "an optimizer has its own rate"
        raise ValueError(f"{where}: give learning_rate or optimizer, not both: {cure}")
    return optimizer


def length(iterations: Any, epochs: Any, epoch: int) -> int:
    """Return the number of iterations of a run.  epoch: iterations of an epoch."""
    if iterations is not None and epochs is not None:
        raise ValueError("train: give iterations or epochs, not both")
    if epochs is not None:
        return epoch * positive_integer("train", "epochs", epochs)
    return ITERATIONS if iterations is None else positive_integer("train", "iterations", iterations)


def interval(evaluate_every: Any, epoch: int) -> int:
    """Return the number of iterations between evaluations; 0 means never."""
    if evaluate_every is None:
        return 0
    if not isinstance(evaluate_every, str):
        return positive_integer("train", "evaluate_every", evaluate_every)
    if evaluate_every != "epoch":
        rule = 'evaluate_every must be "epoch", a number of iterations or None'
        raise ValueError(f"train: {rule}, got {shown(evaluate_every)}")
    return epoch
