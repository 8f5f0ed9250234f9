"""Gates that keep nothing: `backward` gets the inputs of `forward` once more, then the gradient."""

import numpy as np

rng = np.random.default_rng(17)


class SelfProduct:
    """out = X · (X W)."""

    def forward(self, W, X):
        return X * (X @ W)

    def backward(self, W, X, dZ):
        return X.T @ (X * dZ), dZ * (X @ W) + (X * dZ) @ W.T


class SelfProductUntransposed(SelfProduct):
    def backward(self, W, X, dZ):
        return X.T @ (X * dZ), dZ * (X @ W) + (X * dZ) @ W


class SelfProductOfOneFactor(SelfProduct):
    """A product whose second factor counts as constant."""

    def backward(self, W, X, dZ):
        return X.T @ (X * dZ), dZ * (X @ W)


class Minus:
    def forward(self, X, b):
        return X - b

    def backward(self, X, b, dZ):
        return dZ, -dZ.sum(axis=0)


class Hyperbola:
    """out = √(1 + X²)."""

    def forward(self, X):
        return np.sqrt(1.0 + X * X)

    def backward(self, X, top_diff):
        return top_diff * X / self.forward(X)


class HyperbolaOfTheRoot(Hyperbola):
    """The derivative of the root without the factor of its argument."""

    def backward(self, X, top_diff):
        return top_diff / (2.0 * self.forward(X))


W, X, B = rng.normal(size=(4, 4)), rng.normal(size=(5, 4)), rng.normal(size=4)

RIGHT = [
    (SelfProduct, (W, X), ["x", "X"]),
    (Minus, (X, B), ["x", "b"]),
    (Hyperbola, (X,), ["x"]),
]
WRONG = [
    (SelfProductUntransposed, (W, X), ["X"]),
    (SelfProductOfOneFactor, (W, X), ["X"]),
    (HyperbolaOfTheRoot, (X,), ["x"]),
]
