"""MNIST, a small sample of it, Fashion-MNIST, and your own pictures of digits, as NumPy arrays."""

from backprop.data.digit import load_digit
from backprop.data.errors import DataError
from backprop.data.fashion_mnist import FASHION_MNIST_CLASSES, load_fashion_mnist
from backprop.data.mnist import load_mnist
from backprop.data.sample import load_mnist_sample

__all__ = [
    "FASHION_MNIST_CLASSES",
    "DataError",
    "load_digit",
    "load_fashion_mnist",
    "load_mnist",
    "load_mnist_sample",
]
