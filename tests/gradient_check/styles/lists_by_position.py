"""Layers with lists `params` and `grads` that are written in place; rows looked up by integers."""

import numpy as np

rng = np.random.default_rng(1)


class Tones:
    """The sines of the rows at given integers."""

    def __init__(self, pitches):
        self.params, self.grads = [pitches], [0.0 * pitches]

    def forward(self, ids):
        self.ids = ids
        return np.sin(self.params[0][ids])

    def backward(self, dout):
        self.grads[0][...] = 0.0
        self.write(self.grads[0], dout * np.cos(self.params[0][self.ids]))

    def write(self, gradient, rows):
        np.add.at(gradient, self.ids, rows)


class TonesThatForgetRepeats(Tones):
    """A gradient in which only the last use of a row counts."""

    def write(self, gradient, rows):
        gradient[self.ids] = rows


class Drifting:
    """out = scale · x + drift · t at step t, for x of shape (N, T, D)."""

    def __init__(self, scale, drift):
        self.params, self.grads = [scale, drift], [0.0 * scale, 0.0 * drift]

    def forward(self, xs):
        self.xs, self.steps = xs, np.arange(xs.shape[1])[:, None]
        scale, drift = self.params
        return scale * xs + drift * self.steps

    def backward(self, dout):
        self.grads[0][...] = (dout * self.xs).sum(axis=(0, 1))
        self.grads[1][...] = (dout * self.steps).sum(axis=(0, 1))
        return dout * self.params[0]


class DriftingOfMeans(Drifting):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = (dout * self.steps).mean(axis=(0, 1))
        return dx


class DriftingWithoutSteps(Drifting):
    """The gradient of a bias, which is not multiplied by t."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = dout.sum(axis=(0, 1))
        return dx


IDS = np.array([[0, 2, 2], [1, 2, 4]])
XS = rng.normal(size=(2, 3, 4))
PITCHES, SCALE, DRIFT = (rng.normal(size=shape) for shape in ((5, 4), (4,), (4,)))

RIGHT = [
    (lambda: Tones(PITCHES), (IDS[0],), ["params[0]"]),
    (lambda: Tones(PITCHES), (IDS,), ["params[0]"]),
    (lambda: Drifting(SCALE, DRIFT), (XS,), ["params[0]", "params[1]", "x"]),
]
WRONG = [
    (lambda: TonesThatForgetRepeats(PITCHES), (IDS,), ["params[0]"]),
    (lambda: DriftingOfMeans(SCALE, DRIFT), (XS,), ["params[1]"]),
    (lambda: DriftingWithoutSteps(SCALE, DRIFT), (XS,), ["params[1]"]),
]
