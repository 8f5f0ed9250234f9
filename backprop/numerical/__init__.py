"""Derivatives of functions by evaluating them."""

from backprop.numerical.gradient import numerical_gradient

__all__ = ["numerical_gradient"]
