"""Steps in time: several inputs, tuples or lists of gradients; a step that returns two outputs."""

import numpy as np

from backprop import Adapter

rng = np.random.default_rng(15)


class RunningMean:
    """h_next = r h_prev + (1 - r) x V + b, with a rate r for each unit."""

    def __init__(self, D, H):
        self.params = [rng.normal(size=(D, H)), rng.uniform(0.2, 0.4, size=H), np.zeros(H)]
        self.grads = [np.zeros(p.shape) for p in self.params]

    def forward(self, x, h_prev):
        V, r, b = self.params
        self.cache = x, h_prev - x @ V
        return h_prev - (1.0 - r) * self.cache[1] + b

    def backward(self, dh_next):
        V, r, _ = self.params
        x, difference = self.cache
        new = (1.0 - r) * dh_next
        self.grads[0][:] = x.T @ new
        self.grads[1][:] = (dh_next * difference).sum(axis=0)
        self.grads[2][:] = dh_next.sum(axis=0)
        return new @ V.T, r * dh_next


class RunningMeanTheOtherWayRound(RunningMean):
    def backward(self, dh_next):
        dx, dh_prev = super().backward(dh_next)
        return [dx, dh_next - dh_prev]


class Pendulum:
    """c_next = c_prev + sin(x Wx + b) · (h_prev Wh) and h_next = arctan(c_next)."""

    def __init__(self, D, H):
        self.Wx, self.Wh, self.b = rng.normal(size=(D, H)), rng.normal(size=(H, H)), np.zeros(H)

    def forward(self, x, h_prev, c_prev):
        push, phase = h_prev @ self.Wh, x @ self.Wx + self.b
        c_next = c_prev + np.sin(phase) * push
        self.cache = x, h_prev, push, phase, c_next
        return np.arctan(c_next), c_next

    def backward(self, dh_next, dc_next):
        x, h_prev, push, phase, c_next = self.cache
        dc = dc_next + dh_next / (1.0 + c_next**2)
        d_push, d_phase = dc * np.sin(phase), dc * push * np.cos(phase)
        self.dWx, self.dWh, self.db = x.T @ d_phase, h_prev.T @ d_push, d_phase.sum(axis=0)
        return d_phase @ self.Wx.T, d_push @ self.Wh.T, dc


class PendulumThatForgets(Pendulum):
    def backward(self, dh_next, dc_next):
        return super().backward(dh_next, 0.0 * dc_next)


def one_output(cell):
    return Adapter(
        cell,
        forward=lambda cell, x, h_prev, c_prev: np.hstack(cell.forward(x, h_prev, c_prev)),
        backward=lambda cell, dout: cell.backward(*np.hsplit(dout, 2)),
    )


NAMES = ["Wx", "Wh", "b", "x", "h_prev", "c_prev"]
X, H, C = rng.normal(size=(5, 4)), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))

RIGHT = [(lambda: RunningMean(4, 3), (X, H), ["params[0]", "params[1]", "params[2]", "x", "h_prev"])]
WRONG = [(lambda: RunningMeanTheOtherWayRound(4, 3), (X, H), ["h_prev"])]
ADAPTED = [
    (lambda: one_output(Pendulum(4, 3)), (X, H, C), NAMES, []),
    (lambda: one_output(PendulumThatForgets(4, 3)), (X, H, C), NAMES, NAMES),
]
