"""Losses that get their targets in both passes: `forward(y_pred, y_true)`, `backward(dvalues, y_true)`."""

import numpy as np

from backprop import Adapter

rng = np.random.default_rng(4)


class Quartic:
    """The mean of the fourth powers, returned by forward itself."""

    def forward(self, y_pred, y_true):
        return ((y_pred - y_true) ** 4).mean()

    def backward(self, y_pred, y_true):
        return 4.0 * (y_pred - y_true) ** 3 / y_true.size


class QuarticOfSums(Quartic):
    def backward(self, y_pred, y_true):
        return 4.0 * (y_pred - y_true) ** 3


class Counts:
    """exp(y) - t y, for targets that are counts."""

    def forward(self, y_pred, y_true):
        return (np.exp(y_pred) - y_true * y_pred).mean()

    def backward(self, dvalues, y_true):
        self.dinputs = (np.exp(dvalues) - y_true) / y_true.size


class CountsOfTheWrongSign(Counts):
    def backward(self, dvalues, y_true):
        super().backward(dvalues, y_true)
        self.dinputs *= -1.0


class OfEachSample:
    """A loss whose forward returns one loss per sample, and another method their mean."""

    def of_batch(self, y_pred, y_true):
        return self.forward(y_pred, y_true).mean()


class InverseLikelihood(OfEachSample):
    """1 over the probability of the right class."""

    def forward(self, y_pred, y_true):
        return (y_true / y_pred).sum(axis=1)

    def backward(self, dvalues, y_true):
        self.dinputs = -y_true / (dvalues * dvalues * len(dvalues))


class InverseLikelihoodOfLogits(InverseLikelihood):
    """The gradient of softmax's input in place of that of its output."""

    def backward(self, dvalues, y_true):
        super().backward(dvalues, y_true)
        along = (self.dinputs * dvalues).sum(axis=1, keepdims=True)
        self.dinputs = dvalues * (self.dinputs - along)


def of_the_mean(loss):
    return Adapter(loss, forward=lambda loss, y_pred, y_true: loss.of_batch(y_pred, y_true))


A, B = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
P, T = rng.dirichlet(np.full(3, 5.0), size=5), np.eye(3)[[0, 2, 1, 1, 0]]

RIGHT = [(Quartic, (A, B), ["x"]), (Counts, (A, B), ["x"])]
WRONG = [(QuarticOfSums, (A, B), ["x"]), (CountsOfTheWrongSign, (A, B), ["x"])]
ADAPTED = [  # backward is the derivative of another method than forward
    (lambda: of_the_mean(InverseLikelihood()), (P, T), ["x"], []),
    (lambda: of_the_mean(InverseLikelihoodOfLogits()), (P, T), ["x"], ["x"]),
]
