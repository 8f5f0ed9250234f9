"""CuPy on a CUDA GPU: the backend, and the twins of formulas, with their CUDA kernels beside them."""

from backends.cupy import (
    affine,
    batch_norm,
    dropout,
    gelu,
    layer_norm,
    leaky_relu,
    mean_squared_error,
    minibatch,
    optimizers,
    preparation,
    relu,
    sigmoid,
    sigmoid_binary_cross_entropy,
    softmax,
    softmax_cross_entropy,
    tanh,
)
from backends.cupy.backend import CupyBackend

__all__ = [
    "CupyBackend",
    "affine",
    "batch_norm",
    "dropout",
    "gelu",
    "layer_norm",
    "leaky_relu",
    "mean_squared_error",
    "minibatch",
    "optimizers",
    "preparation",
    "relu",
    "sigmoid",
    "sigmoid_binary_cross_entropy",
    "softmax",
    "softmax_cross_entropy",
    "tanh",
]
