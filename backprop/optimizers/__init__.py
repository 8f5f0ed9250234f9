"""Optimizers: rules that move parameters along their gradients."""

from backprop.optimizers.momentum import Momentum
from backprop.optimizers.optimizer import Optimizer
from backprop.optimizers.sgd import SGD

__all__ = ["SGD", "Momentum", "Optimizer"]
