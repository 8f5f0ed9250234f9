"""Layers that compute in float32 inside, though their arrays are float64: right, or off by a factor."""

import numpy as np
from right_layers import LABELS, Linear, Logistic, Own, Tanh, X


def single(x):
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)


class Off(Own):
    """A layer whose gradient of x is multiplied by a factor; 1 is right."""

    def __init__(self, factor=1.0, **params):
        super().__init__(**params)
        self.factor = factor


class SingleTanh(Off):
    """tanh, rounded to float32."""

    def forward(self, x):
        self.y = np.tanh(x).astype("f")
        return self.y

    def backward(self, dout):
        return self.factor * dout * (1.0 - self.y.astype(float) ** 2)


class SingleTimes(Off):
    """Three times x in float32."""

    def forward(self, x):
        return x.astype("f") * np.float32(3)

    def backward(self, dout):
        return 3.0 * self.factor * dout


class SingleRectifier(Off):
    """max(x, 0), the output and the gradient in float32."""

    def forward(self, x):
        self.mask = x > 0
        return (x * self.mask).astype("f")

    def backward(self, dout):
        return (self.factor * dout * self.mask).astype("f")


class SingleLoss(Off):
    """Cross-entropy of softmax in float32: a float32 number."""

    def forward(self, x, labels):
        z = x.astype("f")
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p, self.labels = e / e.sum(axis=1, keepdims=True), labels
        return -np.log(self.p[np.arange(len(z)), labels]).mean()

    def backward(self, dout=1.0):
        dx = self.p.copy()
        dx[np.arange(len(dx)), self.labels] -= 1.0
        return self.factor * dout * dx / len(dx)


class SingleRNN(Off):
    """h = tanh(x W + h U + b) from step to step, with states in float32, as buffers often are."""

    def __init__(self, factor=1.0, n_in=3, size=4, dtype="float64"):
        rng = np.random.default_rng(1)
        U = rng.normal(size=(size, size)) / size**0.5
        super().__init__(factor, W=rng.normal(size=(n_in, size)), U=U, b=0.1 * rng.normal(size=size))
        self.dtype = dtype

    def forward(self, x):
        W, U, b = self.params.values()
        self.x, self.h = x, np.zeros((x.shape[1] + 1, len(x), len(b)), "f")
        for t in range(x.shape[1]):
            self.h[t + 1] = np.tanh(x[:, t] @ W + self.h[t] @ U + b)
        return self.h[1:].copy()

    def backward(self, dout):
        W, U, b = self.params.values()
        dx, dh = np.empty(self.x.shape), 0.0
        dW, dU, db = np.zeros(W.shape), np.zeros(U.shape), np.zeros(b.shape)
        for t in reversed(range(len(dout))):
            da = (dout[t] + dh) * (1.0 - self.h[t + 1].astype(float) ** 2)
            dW, dU, db = dW + self.x[:, t].T @ da, dU + self.h[t].T @ da, db + da.sum(axis=0)
            dx[:, t], dh = self.factor * da @ W.T, da @ U.T
        self.grads = {"W": dW.astype(self.dtype), "U": dU.astype(self.dtype), "b": db.astype(self.dtype)}
        return dx.astype(self.dtype)


class ComplexSingleTanh(Tanh):
    """tanh in float32, or in complex64 if x is complex."""

    def forward(self, x):
        self.y = np.tanh(single(x)).astype(x.dtype)
        return self.y


class HalfWay(Tanh):
    """Single precision half way through forward."""

    def forward(self, x):
        self.y = np.tanh(single(1.1 * x) / 1.1)
        return self.y


class SingleGradient(Logistic):
    """A gradient in float32 of a forward in float64."""

    def backward(self, dout):
        return super().backward(dout).astype(np.float32)


class SingleDout(Linear):
    """A gradient rounded to float32."""

    def dW(self, dout):
        return super().dW(dout.astype(np.float32).astype(float))


class SingleSquare(Own):
    """x², with real numbers cast to float32."""

    def forward(self, x):
        self.x = x.real.astype(np.float32)
        return (self.x * self.x).astype(float)

    def backward(self, dout):
        return 2.0 * dout * self.x


RNN_INPUT = np.random.default_rng(3).normal(size=(2, 5, 3))
SINGLE = {
    "tanh": lambda: (SingleTanh(), X),
    "three times": lambda: (SingleTimes(), X),
    "rectifier": lambda: (SingleRectifier(), X),
    "loss": lambda: (SingleLoss(), X, LABELS),
    "RNN": lambda: (SingleRNN(), RNN_INPUT),
    "RNN with gradients in float32": lambda: (SingleRNN(dtype="float32"), RNN_INPUT),
    "tanh, also complex": lambda: (ComplexSingleTanh(), X),
    "tanh, half way": lambda: (HalfWay(), X),
    "square by a cast": lambda: (SingleSquare(), X),
}
