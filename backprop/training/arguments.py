"""The arguments of `train`, checked before anything is changed."""

from typing import Any

from backends import listed, shown
from backprop.arrays.checks import path_name, positive_integer
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


def interval(name: str, every: Any, epoch: int) -> int:
    """Return the number of iterations that "epoch" or a number stands for; 0 for None, which means never."""
    if every is None:
        return 0
    if not isinstance(every, str):
        return positive_integer("train", name, every)
    if every != "epoch":
        rule = f'{name} must be "epoch", a number of iterations or None'
        raise ValueError(f"train: {rule}, got {shown(every)}")
    return epoch


def directory(checkpoint: Any, checkpoint_every: Any, resume: bool) -> str | None:
    """Return the directory of the checkpoints as a string, or None; raise for arguments that lack it."""
    if checkpoint is not None:
        return path_name("train", "checkpoint", checkpoint, "directory")
    if resume or checkpoint_every is not None:
        name = "resume" if resume else "checkpoint_every"
        raise ValueError(f"train: {name} needs a directory: checkpoint=DIR")
    return None
