"""Convolution in NumPy without copies of windows: small products, many in one call of `matmul`."""

from backends.numpy.conv2d import twins

__all__ = ["twins"]
