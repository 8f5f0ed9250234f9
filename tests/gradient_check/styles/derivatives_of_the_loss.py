"""Layers with `W`, `b` and `dLdW`, `dLdb`; losses whose `backward` takes no argument."""

import numpy as np

rng = np.random.default_rng(2)


class Amplified:
    """out = b · (W x): a gain b of shape (n_out, 1) for each unit."""

    def __init__(self, n_in, n_out):
        self.W, self.b = rng.normal(size=(n_out, n_in)), rng.uniform(0.5, 2.0, size=(n_out, 1))

    def forward(self, A):
        self.A, self.sums = A, A @ self.W.T
        return self.sums * self.b[:, 0]

    def backward(self, dLdZ):
        self.dLdW, self.dLdb = self.b * (dLdZ.T @ self.A), (dLdZ * self.sums).sum(axis=0)[:, None]
        return dLdZ @ (self.b * self.W)


class AmplifiedOfAMean(Amplified):
    def backward(self, dLdZ):
        dLdA = super().backward(dLdZ)
        self.dLdW /= len(dLdZ)
        return dLdA


class Wave:
    def forward(self, Z):
        self.Z = Z
        return np.sin(Z)

    def backward(self, dLdA):
        return dLdA * np.cos(self.Z)


class SoftDistance:
    """The mean of √(1 + (A - Y)²) over all entries."""

    def forward(self, A, Y):
        self.error, self.lengths = A - Y, np.sqrt(1.0 + (A - Y) ** 2)
        return self.lengths.mean()

    def backward(self):
        return self.error / self.lengths / self.error.size


class SoftDistanceOfRows(SoftDistance):
    def backward(self):
        return self.error / self.lengths / len(self.error)


class Stack:
    def __init__(self, last=Amplified):
        self.layers = [Amplified(4, 5), Wave(), last(5, 3)]

    def forward(self, out):
        for layer in self.layers:
            out = layer.forward(out)
        return out

    def backward(self, dLdA):
        for layer in self.layers[::-1]:
            dLdA = layer.backward(dLdA)
        return dLdA


X, A, Y = (rng.normal(size=(5, columns)) for columns in (4, 3, 3))
NAMES = ["layers[0].W", "layers[0].b", "layers[2].W", "layers[2].b", "x"]

RIGHT = [
    (lambda: Amplified(4, 3), (X,), ["W", "b", "x"]),
    *((Wave, (X,), ["x"]), (SoftDistance, (A, Y), ["x"]), (Stack, (X,), NAMES)),
]
WRONG = [
    *((lambda: AmplifiedOfAMean(4, 3), (X,), ["W"]), (SoftDistanceOfRows, (A, Y), ["x"])),
    (lambda: Stack(AmplifiedOfAMean), (X,), ["layers[2].W"]),
]
