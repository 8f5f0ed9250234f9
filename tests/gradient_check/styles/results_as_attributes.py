"""Passes that return None: `forward(inputs, training)` stores `output`, `backward` stores `dinputs`."""

import numpy as np

rng = np.random.default_rng(3)


class MixedSines:
    """output = sin(inputs) weights + biases."""

    def __init__(self, n_in, n_out):
        self.weights, self.biases = rng.normal(size=(n_in, n_out)), np.zeros((1, n_out))

    def forward(self, inputs, training):
        self.angles = inputs
        self.output = np.sin(inputs) @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = np.sin(self.angles).T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = np.cos(self.angles) * (dvalues @ self.weights.T)


class MixedSinesUntransposed(MixedSines):
    def backward(self, dvalues):
        super().backward(dvalues)
        self.dinputs = np.cos(self.angles) * (dvalues @ self.weights)


class SmoothStep:
    """From 0 to 1 by x² (3 - 2 x); flat on both sides."""

    def forward(self, inputs, training):
        self.t = np.where(inputs < 0, 0.0, np.where(inputs > 1, 1.0, inputs))
        self.output = self.t**2 * (3.0 - 2.0 * self.t)

    def backward(self, dvalues):
        self.dinputs = 6.0 * dvalues * self.t * (1.0 - self.t)


class Blinds:
    """A dropout of whole columns in training, the same for all samples."""

    share = 0.3

    def forward(self, inputs, training):
        self.open = np.ones(inputs.shape[1])
        if training:
            self.open = (np.random.random(inputs.shape[1]) >= self.share) / (1.0 - self.share)
        self.output = self.open * inputs

    def backward(self, dvalues):
        self.dinputs = self.open * dvalues


class Proportions:
    """1 + x², over the sum of these in a row."""

    def forward(self, inputs, training):
        self.inputs, parts = inputs, 1.0 + inputs**2
        self.total = parts.sum(axis=1, keepdims=True)
        self.output = parts / self.total

    def backward(self, dvalues):
        along = (dvalues * self.output).sum(axis=1, keepdims=True)
        self.dinputs = 2.0 * self.inputs * (dvalues - along) / self.total


class ProportionsOfTheDiagonal(Proportions):
    def backward(self, dvalues):
        self.dinputs = 2.0 * self.inputs * dvalues * (1.0 - self.output) / self.total


X = rng.normal(size=(5, 4))

RIGHT = [
    (lambda: MixedSines(4, 3), (X,), ["weights", "biases", "x"]),
    *((kind, (X,), ["x"]) for kind in (SmoothStep, Blinds, Proportions)),
]
WRONG = [(lambda: MixedSinesUntransposed(4, 4), (X,), ["x"]), (ProportionsOfTheDiagonal, (X,), ["x"])]
