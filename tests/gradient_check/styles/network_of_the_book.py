"""A network as in the book: `params`, `layers`, `lastLayer`; a layer with a training flag."""

from collections import OrderedDict

import numpy as np

rng = np.random.default_rng(14)


class Squares:
    """out = (x W)² + b."""

    def __init__(self, W, b):
        self.W, self.b, self.dW, self.db = W, b, None, None

    def forward(self, x):
        self.x, self.sums = x, x @ self.W
        return self.sums**2 + self.b

    def backward(self, dout):
        slope = 2.0 * self.sums * dout
        self.dW, self.db = self.x.T @ slope, dout.sum(axis=0)
        return slope @ self.W.T


class Levelled:
    """gamma times x minus its mean, plus beta; noisy in training, otherwise with the last mean."""

    def __init__(self, gamma, beta):
        self.gamma, self.beta, self.mean, self.noise = gamma, beta, 0.0, 1.0

    def forward(self, x, train_flg=True):
        self.noise = np.random.uniform(0.5, 1.5, size=x.shape) if train_flg else 1.0
        self.mean = x.mean(axis=0) if train_flg else self.mean
        self.above = (x - self.mean) * self.noise
        return self.gamma * self.above + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.above).sum(axis=0), dout.sum(axis=0)
        dx = self.gamma * self.noise * dout
        return dx - dx.mean(axis=0)


class ToCorner:
    def forward(self, x, t):
        self.error = x - np.eye(x.shape[1])[t]
        return (self.error**2).sum() / len(t)

    def backward(self, dout=1):
        return 2.0 * dout * self.error / len(self.error)


class Net:
    """A network whose loss is the squared distance of each row from the corner of its label."""

    def __init__(self):
        shapes = {"W1": (4, 5), "b1": 5, "gamma": 5, "beta": 5, "W2": (5, 3), "b2": 3}
        self.params = {name: rng.uniform(0.2, 1.0, size=shape) for name, shape in shapes.items()}
        W1, b1, gamma, beta, W2, b2 = self.params.values()
        self.layers = OrderedDict(First=Squares(W1, b1), Level=Levelled(gamma, beta), Last=Squares(W2, b2))
        self.lastLayer = ToCorner()

    def loss(self, x, t, train_flg=False):
        first, level, last = self.layers.values()
        return self.lastLayer.forward(last.forward(level.forward(first.forward(x), train_flg)), t)

    def gradient(self, x, t):
        self.loss(x, t, train_flg=True)
        first, level, last = self.layers.values()
        first.backward(level.backward(last.backward(self.lastLayer.backward())))
        found = first.dW, first.db, level.dgamma, level.dbeta, last.dW, last.db
        return dict(zip(self.params, found, strict=True))


class NetWithOneGradientTwice(Net):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return grads | {"gamma": grads["beta"]}


X, T = rng.normal(size=(6, 4)), np.array([0, 2, 1, 1, 0, 2])

RIGHT = [
    *((Net, (X, T), ["W1", "b1", "gamma", "beta", "W2", "b2"]), (ToCorner, (X, T), ["x"])),
    (lambda: Levelled(np.full(4, 1.5), np.zeros(4)), (X,), ["gamma", "beta", "x"]),
]
WRONG = [(NetWithOneGradientTwice, (X, T), ["gamma"])]
