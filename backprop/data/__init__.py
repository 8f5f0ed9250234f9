"""MNIST and a small sample of it, as NumPy arrays."""

from backprop.data.errors import DataError
from backprop.data.mnist import load_mnist
from backprop.data.sample import load_mnist_sample

__all__ = ["DataError", "load_mnist", "load_mnist_sample"]
