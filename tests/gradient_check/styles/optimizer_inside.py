"""Layers with `forward_pass` and `backward_pass`, which updates the layer with its own optimizer."""

import copy

import numpy as np

rng = np.random.default_rng(5)


class Heavy:
    """An optimizer with momentum: each step adds half of the last one."""

    def __init__(self, rate=0.01):
        self.rate, self.speed = rate, 0.0

    def moved(self, array, slope):
        self.speed = 0.5 * self.speed + self.rate * slope
        return array - self.speed


class Stretch:
    """out = W x + w0 for each feature."""

    def __init__(self, size, optimizer):
        self.W, self.w0 = rng.uniform(0.5, 2.0, size=(1, size)), np.zeros((1, size))
        self.of_W, self.of_w0 = copy.deepcopy(optimizer), copy.deepcopy(optimizer)

    def forward_pass(self, X, training=True):
        self.X = X
        return self.W * X + self.w0

    def backward_pass(self, accum_grad):
        dX = self.W * accum_grad
        self.W = self.of_W.moved(self.W, (self.X * accum_grad).sum(axis=0))
        self.w0 = self.of_w0.moved(self.w0, accum_grad.sum(axis=0))
        return dX


class StretchUpdatedTooEarly(Stretch):
    """The gradient of the input comes from the weights after the update."""

    def backward_pass(self, accum_grad):
        super().backward_pass(accum_grad)
        return self.W * accum_grad


class Flicker:
    """x² times random numbers of mean 1 in training."""

    def __init__(self, strength=0.2):
        self.strength, self.factors = strength, None

    def forward_pass(self, X, training=True):
        self.X, self.factors = X, 1.0
        if training:
            self.factors = 1.0 + self.strength * np.random.normal(size=X.shape)
        return X * X * self.factors

    def backward_pass(self, accum_grad):
        return 2.0 * self.X * self.factors * accum_grad


class FlickerThatForgetsItsFactors(Flicker):
    """A gradient with the mean of the random numbers in place of those drawn."""

    def backward_pass(self, accum_grad):
        return 2.0 * self.X * accum_grad


X = rng.normal(size=(5, 4))

RIGHT = [(Flicker, (X,), ["x"])]
WRONG = [(FlickerThatForgetsItsFactors, (X,), ["x"])]
TOLD = [  # the optimizer's step does not reveal the gradients
    (lambda: Stretch(4, Heavy()), (X,), "updates itself"),
    (lambda: StretchUpdatedTooEarly(4, Heavy(0.1)), (X,), "updates itself"),
]
