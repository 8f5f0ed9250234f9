"""The optimizer that the options describe."""

from typing import Any

from backprop.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from backprop.optimizers.fitting import number_in, rate_in

OPTIMIZERS: dict[str, type[Any]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}


def make_optimizer(
    name: str, learning_rate: float | None, weight_decay: float | None, dtype: Any
) -> Optimizer:
    """Return an optimizer. None stands for the default of its class.

    Raises ValueError for a number that is 0 or infinite in the dtype of the network.
    """
    optimizer: Optimizer = OPTIMIZERS[name]()
    if learning_rate is not None:
        optimizer.learning_rate = learning_rate
    if weight_decay is not None:
        optimizer.weight_decay = weight_decay
    where = f"--dtype {dtype}"
    rate_in(dtype, where, optimizer.learning_rate)
    number_in(dtype, where, "weight_decay", optimizer.weight_decay)
    return optimizer
