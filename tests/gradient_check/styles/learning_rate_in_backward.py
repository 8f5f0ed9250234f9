"""Layers on column vectors whose `backward(output_gradient, learning_rate)` updates the parameters itself."""

import numpy as np

rng = np.random.default_rng(8)


class OfSquares:
    """out = weights · x² + bias."""

    def __init__(self, n_in, n_out):
        self.weights, self.bias = rng.normal(size=(n_out, n_in)), rng.normal(size=(n_out, 1))

    def forward(self, column):
        self.column = column
        return self.weights @ column**2 + self.bias

    def backward(self, output_gradient, learning_rate):
        dx = 2.0 * self.column * (self.weights.T @ output_gradient)
        self.weights -= learning_rate * (output_gradient @ self.column.T**2)
        self.bias -= learning_rate * self.change_of_bias(output_gradient)
        return dx

    def change_of_bias(self, output_gradient):
        return output_gradient


class OfSquaresWithAWrongBias(OfSquares):
    def change_of_bias(self, output_gradient):
        return 2.0 * output_gradient


class OfSquaresUpdatedTooEarly(OfSquares):
    def backward(self, output_gradient, learning_rate):
        super().backward(output_gradient, learning_rate)
        return 2.0 * self.column * (self.weights.T @ output_gradient)


class Pointwise:
    def __init__(self, function, slope):
        self.function, self.slope = function, slope

    def forward(self, column):
        self.column = column
        return self.function(column)

    def backward(self, output_gradient, learning_rate):
        return self.slope(self.column) * output_gradient


class Bell(Pointwise):
    def __init__(self):
        super().__init__(lambda x: np.exp(-x * x), lambda x: -2.0 * x * np.exp(-x * x))


class Direction:
    """The column over its length."""

    def forward(self, column):
        self.length = np.sqrt((column * column).sum())
        self.direction = column / self.length
        return self.direction

    def backward(self, output_gradient, learning_rate):
        along = self.direction.T @ output_gradient
        return (output_gradient - self.direction * along) / self.length


class DirectionOfTheDiagonal(Direction):
    def backward(self, output_gradient, learning_rate):
        return output_gradient * (1.0 - self.direction**2) / self.length


X, NAMES = rng.normal(size=(4, 1)), ["weights", "bias", "x"]

RIGHT = [(lambda: OfSquares(4, 3), (X,), NAMES), (Bell, (X,), ["x"]), (Direction, (X,), ["x"])]
WRONG = [
    (lambda: OfSquaresWithAWrongBias(4, 3), (X,), ["bias"]),
    *((kind, (X,), ["x"]) for kind in (lambda: OfSquaresUpdatedTooEarly(4, 3), DirectionOfTheDiagonal)),
]
