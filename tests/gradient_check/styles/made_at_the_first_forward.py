"""Layers whose first forward creates their arrays; dictionaries `parameters` and `gradients`."""

import numpy as np

rng = np.random.default_rng(11)


class WithSquares:
    """out = x W + b |x|²; its passes take a flag that need not be given."""

    def __init__(self, n_out):
        self.n_out, self.kept = n_out, []
        self.parameters, self.gradients = {"W": None, "b": None}, {"W": None, "b": None}

    def forward(self, X, remember=True):
        if self.parameters["W"] is None:
            for name, rows in ("W", X.shape[1]), ("b", 1):
                self.parameters[name] = np.random.normal(size=(rows, self.n_out))
        squares = (X * X).sum(axis=1, keepdims=True)
        if remember:
            self.kept = [X, squares]
        return X @ self.parameters["W"] + squares * self.parameters["b"]

    def backward(self, dLdy, store=True):
        X, squares = self.kept
        if store:
            self.gradients["W"] = X.T @ dLdy
            self.gradients["b"] = (squares * dLdy).sum(axis=0, keepdims=True)
        return dLdy @ self.parameters["W"].T + 2.0 * X * (dLdy @ self.parameters["b"].T)


class WithSquaresThatAddsUp(WithSquares):
    def backward(self, dLdy, store=True):
        last = self.gradients["W"]
        dX = super().backward(dLdy, store)
        if last is not None:
            self.gradients["W"] += last
        return dX


class WithSquaresOfConstants(WithSquares):
    """A gradient of x in which the squares count as constant."""

    def backward(self, dLdy, store=True):
        super().backward(dLdy, store)
        return dLdy @ self.parameters["W"].T


class Bells:
    """out = exp(-(x W + b)²): attributes that are None before, its own random numbers."""

    def __init__(self, n_out):
        self.n_out, self.W, self.b, self.dW, self.db = n_out, None, None, None, None

    def forward(self, x):
        if self.W is None:
            self.W, self.b = rng.normal(size=(x.shape[1], self.n_out)), rng.normal(size=self.n_out)
        self.x, self.sums = x, x @ self.W + self.b
        self.out = np.exp(-(self.sums**2))
        return self.out

    def backward(self, dout):
        d_sums = -2.0 * dout * self.sums * self.out
        self.dW, self.db = self.x.T @ d_sums, d_sums.sum(axis=0)
        return d_sums @ self.W.T


class BellsWithoutSlope(Bells):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout.sum(axis=0)
        return dx


X = rng.normal(size=(5, 4))

RIGHT = [(lambda: WithSquares(3), (X,), ["W", "b", "x"]), (lambda: Bells(3), (X,), ["W", "b", "x"])]
WRONG = [(lambda: WithSquaresOfConstants(3), (X,), ["x"]), (lambda: BellsWithoutSlope(3), (X,), ["b"])]
TOLD = [(lambda: WithSquaresThatAddsUp(3), (X,), "accumulated")]
