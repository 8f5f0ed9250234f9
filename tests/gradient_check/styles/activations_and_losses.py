"""Activations with `__call__` and `gradient`, or `fn` and `grad`; losses with `loss` and `grad`."""

import numpy as np

rng = np.random.default_rng(9)


class Angle:
    def __call__(self, x):
        return np.arctan(x)

    def gradient(self, x):
        return 1.0 / (1.0 + x * x)


class AngleOfItsOutput(Angle):
    """The derivative as if x were the output."""

    def gradient(self, x):
        return np.cos(x) ** 2


class Bend:
    """A line on the left of 0, a parabola on the right."""

    def __init__(self, alpha=0.5):
        self.alpha = alpha

    def __call__(self, x):
        return x + self.alpha * x * x * (x > 0)

    def gradient(self, x):
        return 1.0 + 2.0 * self.alpha * x * (x > 0)


class Called:
    def __call__(self, z):
        return self.fn(np.atleast_2d(z))


class LogOfCosh(Called):
    def fn(self, z):
        return np.log(np.cosh(z))

    def grad(self, x):
        return np.tanh(x)


class LogOfCoshWithoutItsInside(LogOfCosh):
    def grad(self, x):
        return 1.0 / np.cosh(x)


class Relative:
    """Squared errors, each over the size of its target."""

    def loss(self, predicted, actual):
        return ((predicted - actual) ** 2 / (1.0 + actual**2)).sum()

    def grad(self, predicted, actual):
        return 2.0 * (predicted - actual) / (1.0 + actual**2)


class RelativeWithoutTwo(Relative):
    def grad(self, predicted, actual):
        return super().grad(predicted, actual) / 2.0


X, Y = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))

RIGHT = [*((kind, (X,), ["x"]) for kind in (Angle, Bend, LogOfCosh)), (Relative, (X, Y), ["x"])]
WRONG = [
    (AngleOfItsOutput, (X,), ["x"]),
    (LogOfCoshWithoutItsInside, (X,), ["x"]),
    (RelativeWithoutTwo, (X, Y), ["x"]),
]
