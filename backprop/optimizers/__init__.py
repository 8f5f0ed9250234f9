"""Optimizers: how parameters follow their gradients."""

from backprop.optimizers.sgd import SGD

__all__ = ["SGD"]
