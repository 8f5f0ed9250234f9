"""Layers with `forward_propagate` and `back_propagate`, and gradients under names such as `weights_grad`."""

import numpy as np

rng = np.random.default_rng(7)


class Hyperbolas:
    """out = √(1 + (x weights + bias)²)."""

    def __init__(self, n_in, n_out):
        self.weights, self.bias = rng.normal(size=(n_in, n_out)), rng.normal(size=(1, n_out))
        self.weights_grad = self.bias_grad = None

    def forward_propagate(self, x):
        self.seen, self.sums = x, x @ self.weights + self.bias
        self.heights = np.sqrt(1.0 + self.sums**2)
        return self.heights

    def back_propagate(self, delta):
        slope = delta * self.sums / self.heights
        self.weights_grad, self.bias_grad = self.seen.T @ slope, self.over_samples(slope)
        return slope @ self.weights.T

    def over_samples(self, slope):
        return slope.sum(axis=0, keepdims=True)


class HyperbolasOfOneSample(Hyperbolas):
    """The gradient of the bias as if there were one sample."""

    def over_samples(self, slope):
        return slope[:1]


class Powers:
    """out = exp(scale x) + shift, with gradients called `<name>_gradient`."""

    def __init__(self, size):
        self.scale, self.shift = rng.normal(size=size), rng.normal(size=size)

    def forward_propagate(self, x):
        self.seen, self.powers = x, np.exp(self.scale * x)
        return self.powers + self.shift

    def back_propagate(self, delta):
        slope = delta * self.powers
        self.scale_gradient, self.shift_gradient = self.of_scale(slope), delta.sum(axis=0)
        return slope * self.scale

    def of_scale(self, slope):
        return (slope * self.seen).sum(axis=0)


class PowersWithoutInput(Powers):
    """The derivative of the exponential without the factor of its exponent."""

    def of_scale(self, slope):
        return slope.sum(axis=0)


X = rng.normal(size=(5, 4))

RIGHT = [
    (lambda: Hyperbolas(4, 3), (X,), ["weights", "bias", "x"]),
    (lambda: Powers(4), (X,), ["scale", "shift", "x"]),
]
WRONG = [
    (lambda: HyperbolasOfOneSample(4, 3), (X,), ["bias"]),
    (lambda: PowersWithoutInput(4), (X,), ["scale"]),
]
