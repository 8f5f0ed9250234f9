"""Layers with `fprop` and `bprop`, and gradients `grad_W`, `grad_b` beside `W`, `b`."""

import numpy as np

rng = np.random.default_rng(6)


class Cosines:
    """out = cos(x W + b)."""

    def __init__(self, n_in, n_out):
        self.W, self.b = rng.normal(size=(n_in, n_out)), rng.uniform(0.0, 3.0, size=n_out)
        self.grad_W, self.grad_b = 0.0 * self.W, 0.0 * self.b

    def fprop(self, inputs):
        self.inputs, self.phase = inputs, inputs @ self.W + self.b
        return np.cos(self.phase)

    def bprop(self, grads_wrt_outputs):
        d_phase = -np.sin(self.phase) * grads_wrt_outputs
        self.grad_W, self.grad_b = self.inputs.T @ d_phase, d_phase.sum(axis=0)
        return d_phase @ self.W.T


class CosinesWithDecay(Cosines):
    """Weight decay in the backward pass only."""

    def bprop(self, grads_wrt_outputs):
        dx = super().bprop(grads_wrt_outputs)
        self.grad_W += 0.1 * self.W
        return dx


class Ripple:
    """out = x exp(-x² / 2)."""

    def fprop(self, inputs):
        self.inputs = inputs
        return inputs * np.exp(-0.5 * inputs**2)

    def bprop(self, grads_wrt_outputs):
        return grads_wrt_outputs * (1.0 - self.inputs**2) * np.exp(-0.5 * self.inputs**2)


class Levelled:
    """gamma times each feature minus its batch mean, plus beta."""

    def __init__(self, size):
        self.gamma, self.beta = rng.uniform(0.5, 2.0, size=size), np.zeros(size)

    def fprop(self, inputs):
        self.above = inputs - inputs.mean(axis=0)
        return self.gamma * self.above + self.beta

    def bprop(self, grads):
        self.grad_gamma, self.grad_beta = (grads * self.above).sum(axis=0), grads.sum(axis=0)
        return self.gamma * (grads - grads.mean(axis=0))


class LevelledByAConstant(Levelled):
    """A gradient as if the mean did not depend on x."""

    def bprop(self, grads):
        super().bprop(grads)
        return self.gamma * grads


X = rng.normal(size=(6, 4))

RIGHT = [
    (lambda: Cosines(4, 3), (X,), ["W", "b", "x"]),
    (Ripple, (X,), ["x"]),
    (lambda: Levelled(4), (X,), ["gamma", "beta", "x"]),
]
WRONG = [
    (lambda: CosinesWithDecay(4, 3), (X,), ["W"]),
    (lambda: LevelledByAConstant(4), (X,), ["x"]),
]
