"""Parameters as objects with `data` and `grad`, which backward may add to; `zero_grad`."""

import numpy as np

rng = np.random.default_rng(13)


class Cell:
    """An array and its gradient."""

    def __init__(self, *shape):
        self.data = rng.normal(size=shape)
        self.grad = np.zeros(shape)


class SquaredSums:
    """out = (x weightᵀ)² + bias."""

    def __init__(self, n_in, n_out):
        self.weight, self.bias = Cell(n_out, n_in), Cell(n_out)

    def zero_grad(self):
        for cell in (self.weight, self.bias):
            cell.grad = 0.0 * cell.data

    def forward(self, x):
        self.x, self.sums = x, x @ self.weight.data.T
        return self.sums**2 + self.bias.data

    def gradients(self, grad_output):
        """Return the gradients of weight, bias and x."""
        slope = 2.0 * self.sums * grad_output
        return slope.T @ self.x, grad_output.sum(axis=0), slope @ self.weight.data

    def backward(self, grad_output):
        self.weight.grad, self.bias.grad, dx = self.gradients(grad_output)
        return dx


class SquaredSumsThatAdd(SquaredSums):
    """A layer in the style of autograd: backward adds to the gradients, zero_grad clears them."""

    def backward(self, grad_output):
        d_weight, d_bias, dx = self.gradients(grad_output)
        self.weight.grad += d_weight
        self.bias.grad += d_bias
        return dx


class SquaredSumsThatAddTwice(SquaredSumsThatAdd):
    """A gradient of the bias added here and by the base class."""

    def backward(self, grad_output):
        self.bias.grad += grad_output.sum(axis=0)
        return super().backward(grad_output)


class SquaredSumsTransposed(SquaredSums):
    """x and dout swapped, which shapes show only if the numbers of units differ."""

    def backward(self, grad_output):
        dx = super().backward(grad_output)
        self.weight.grad = self.weight.grad.T
        return dx


X = rng.normal(size=(5, 3))

RIGHT = [
    (lambda: SquaredSums(3, 4), (X,), ["weight", "bias", "x"]),
    (lambda: SquaredSumsThatAdd(3, 4), (X,), ["weight", "bias", "x"]),
]
WRONG = [
    (lambda: SquaredSumsTransposed(3, 3), (X,), ["weight"]),
    (lambda: SquaredSumsThatAddTwice(3, 4), (X,), ["bias"]),
]
