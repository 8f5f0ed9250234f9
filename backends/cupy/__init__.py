"""CuPy on a CUDA GPU: the backend, and the twins of formulas, with their CUDA kernels beside them."""

from backends.cupy import affine, minibatch, optimizers, relu, softmax_cross_entropy
from backends.cupy.backend import CupyBackend

__all__ = ["CupyBackend", "affine", "minibatch", "optimizers", "relu", "softmax_cross_entropy"]
