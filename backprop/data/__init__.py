"""MNIST and a small sample of it, as NumPy arrays."""

from .errors import DataError
from .mnist import load_mnist
from .sample import load_mnist_sample

__all__ = ["DataError", "load_mnist", "load_mnist_sample"]
