"""Layers for samples in columns, x of shape (D, N), with `params["W"]` and its gradient in `grads["dW"]`."""

import numpy as np

rng = np.random.default_rng(16)


class SquaredUnits:
    """out = (W x + b)²."""

    def __init__(self, n_in, n_out):
        self.params = {"W": rng.normal(size=(n_out, n_in)), "b": np.full((n_out, 1), 0.3)}
        self.grads = {}

    def forward(self, A_prev):
        self.A_prev, self.sums = A_prev, self.params["W"] @ A_prev + self.params["b"]
        return self.sums * self.sums

    def backward(self, dZ):
        slope = 2.0 * self.sums * dZ
        self.grads = {"dW": slope @ self.A_prev.T, "db": slope.sum(axis=1, keepdims=True)}
        return self.params["W"].T @ slope


class SquaredUnitsOfAMean(SquaredUnits):
    """A second mean over the samples, in addition to the loss's."""

    def backward(self, dZ):
        dA_prev = super().backward(dZ)
        self.grads["dW"] /= dZ.shape[1]
        return dA_prev


class Centred:
    """Each column minus its mean, cubed."""

    axis = 0

    def forward(self, Z):
        self.offsets = Z - Z.mean(axis=0)
        return self.offsets**3

    def backward(self, dA):
        slope = 3.0 * self.offsets**2 * dA
        return slope - slope.mean(axis=self.axis, keepdims=True)


class CentredOverTheBatch(Centred):
    axis = 1


class ChiSquare:
    """Σ (Y - A)² / A over the number of columns; targets have the shape of the probabilities."""

    def forward(self, A, Y):
        self.A, self.Y = A, Y
        return ((Y - A) ** 2 / A).sum() / A.shape[1]

    def backward(self, dout=1.0):
        return dout * (1.0 - (self.Y / self.A) ** 2) / self.A.shape[1]


class ChiSquareOverRows(ChiSquare):
    def backward(self, dout=1.0):
        return dout * (1.0 - (self.Y / self.A) ** 2) / len(self.A)


X, Z = rng.normal(size=(4, 6)), rng.normal(size=(3, 6))
P, Y = rng.dirichlet(np.full(3, 5.0), size=6).T, np.eye(3)[:, [0, 1, 2, 2, 1, 0]]

RIGHT = [
    (lambda: SquaredUnits(4, 3), (X,), ["W", "b", "x"]),
    (Centred, (Z,), ["x"]),
    (ChiSquare, (P, Y), ["x"]),
]
WRONG = [
    (lambda: SquaredUnitsOfAMean(4, 3), (X,), ["W"]),
    (CentredOverTheBatch, (Z,), ["x"]),
    (ChiSquareOverRows, (P, Y), ["x"]),
]
