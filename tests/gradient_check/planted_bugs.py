"""Wrong layers, some for each verdict of the gradient check; the list was written before the check.

Each is wrong in one thing, and says what the verdict must be and of which array ("" for the layer itself).
"""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from right_layers import (
    LABELS,
    ONE_HOT,
    PAIRED,
    PROBABILITIES,
    SQUARE,
    UNLIKELY,
    BatchNorm,
    Classifier,
    Decaying,
    FlatRowBias,
    Gain,
    LayerNorm,
    LikelihoodLoss,
    Linear,
    Logistic,
    Magnitude,
    MeanSquare,
    Own,
    Rectifier,
    Reusing,
    Scale,
    Shift,
    Softmax,
    SoftmaxLoss,
    SquaredError,
    Tanh,
    X,
)


@dataclass
class Bug:
    """A wrong layer with its inputs, and what the check must report."""

    verdict: str
    array: str
    make: Any  # returns the layer and its inputs

    def __call__(self):
        return self.make()


BUGS: dict[str, Bug] = {}


def bug(verdict, array, *inputs):
    """Register a class in BUGS under its docstring."""

    def add(cls):
        BUGS[cls.__doc__.rstrip(".")] = Bug(verdict, array, lambda: (cls(), *(inputs or (X,))))
        return cls

    return add


# ----------------------------------------------------------------------------------------- writes into dout


@bug("writes into dout", "")
class _(Rectifier):
    """the book's ReLU, which masks dout in place."""

    def backward(self, dout):
        dout[~self.mask] = 0.0
        return dout


@bug("writes into dout", "")
class _(Logistic):
    """a product written into dout."""

    def backward(self, dout):
        return np.multiply(dout, self.y * (1.0 - self.y), out=dout)


@bug("writes into dout", "")
class _(Scale):
    """dout changed after the gradients were taken."""

    def backward(self, dout):
        dx = super().backward(dout)
        dout -= dout.mean()
        return dx


@bug("writes into dout", "")
class _(Linear):
    """dout divided by N in place."""

    def backward(self, dout):
        dout /= len(dout)
        return super().backward(dout)


@bug("writes into dout", "")
class _(Shift):
    """one entry of dout cleared."""

    def backward(self, dout):
        dx = super().backward(dout.copy())
        dout[0, 0] = 0.0
        return dx


# ------------------------------------------------------------------------------------ writes into its input


@bug("writes into its input", "")
class _(Rectifier):
    """a rectifier in place."""

    def forward(self, x):
        self.mask = x > 0
        x *= self.mask
        return x


@bug("writes into its input", "")
class _(Scale):
    """x cleared by backward."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.x[...] = 0.0
        return dx


# --------------------------------------------------------------------------------------------- ignores dout


@bug("ignores dout", "x")
class _(Logistic):
    """a logistic without dout."""

    def backward(self, dout):
        return self.y * (1.0 - self.y)


@bug("ignores dout", "x")
class _(Rectifier):
    """a mask in place of dout times the mask."""

    def backward(self, dout):
        return self.mask.astype(float)


@bug("ignores dout", "W")
class _(Linear):
    """dW without dout."""

    def dW(self, dout):
        return self.x.T @ np.ones_like(dout)


@bug("ignores dout", "b")
class _(Linear):
    """db as the number of samples."""

    def db(self, dout):
        return np.full(dout.shape[1], float(len(dout)))


@bug("constant factor", "x", X, LABELS)
class _(SoftmaxLoss):
    """a loss whose backward takes dout as 1 and forgets 1/N."""

    def over(self, dz):
        return dz

    def backward(self, dout=1.0):
        return super().backward(1.0)


# ------------------------------------------------------------------------------------------ constant factor


@bug("constant factor", "x", X, LABELS)
class _(SoftmaxLoss):
    """a missing 1/N."""

    def over(self, dz):
        return dz


@bug("constant factor", "x", X, LABELS)
class _(SoftmaxLoss):
    """a doubled 1/N."""

    def over(self, dz):
        return dz / len(dz) ** 2


@bug("constant factor", "x", X, LABELS)
class _(SoftmaxLoss):
    """a product with N in place of a division."""

    def over(self, dz):
        return dz * len(dz)


@bug("constant factor", "x", X, LABELS)
class _(SoftmaxLoss):
    """divided by the number of classes too."""

    def over(self, dz):
        return dz / dz.size


@bug("constant factor", "W")
class _(Linear):
    """a mean in place of a sum in dW."""

    def dW(self, dout):
        return self.x.T @ dout / len(dout)


@bug("constant factor", "b")
class _(Linear):
    """a mean in place of a sum in db."""

    def db(self, dout):
        return dout.mean(axis=0)


@bug("constant factor", "x")
class _(Logistic):
    """a wrong sign."""

    def backward(self, dout):
        return -super().backward(dout)


@bug("constant factor", "w")
class _(Scale):
    """a wrong sign in one gradient of two."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["w"] = -self.grads["w"]
        return dx


@bug("constant factor", "x", X, X[::-1].copy())
class _(SquaredError):
    """a forgotten 2."""

    def backward(self, dout=1.0):
        return super().backward(dout) / 2.0


@bug("constant factor", "g")
class _(Gain):
    """twice the gradient of a single number."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["g"] = 2.0 * self.grads["g"]
        return dx


@bug("constant factor", "x")
class _(Tanh):
    """a factor of 1.000001."""

    def backward(self, dout):
        return 1.000001 * super().backward(dout)


@bug("constant factor", "W", X, LABELS)
class _(Classifier):
    """a network's dW times N."""

    def dW(self, x, dz):
        return len(x) * super().dW(x, dz)


@bug("constant factor", "w", X[:2])
class _(Scale):
    """a mean in place of a sum over two samples."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["w"] = (dout * self.x).mean(axis=0)
        return dx


@bug("constant factor", "W", X[:2])
class _(Linear):
    """a sum in place of a mean over two samples."""

    def forward(self, x):
        return super().forward(x) / len(x)

    def db(self, dout):
        return super().db(dout) / len(dout)

    def dx(self, dout):
        return super().dx(dout) / len(dout)


@bug("constant factor", "x", X[:2], LABELS[:2])
class _(SoftmaxLoss):
    """a missing 1/N of two samples."""

    def over(self, dz):
        return dz


@bug("constant factor", "x", X[:2], X[:2] + 1.0)
class _(SquaredError):
    """a forgotten 2 with two samples."""

    def backward(self, dout=1.0):
        return super().backward(dout) / 2.0


@bug("constant factor", "W", X[:1])
class _(Linear):
    """twice dW of one sample."""

    def dW(self, dout):
        return 2.0 * super().dW(dout)


@bug("constant factor", "x", X, X[::-1].copy())
class _(MeanSquare):
    """a mean over all entries without its division."""

    def backward(self, dout=1.0):
        return super().backward(dout) * self.difference.size


@bug("constant factor", "x", X, X[::-1].copy())
class _(MeanSquare):
    """half a mean over all entries without its division."""

    def backward(self, dout=1.0):
        return super().backward(dout) * self.difference.size / 2.0


@bug("constant factor", "x", X, X[::-1].copy())
class _(MeanSquare):
    """divided by the number of samples in place of that of entries."""

    def backward(self, dout=1.0):
        return super().backward(dout) * self.difference.shape[1]


@bug("constant factor", "x", X, X[::-1].copy())
class _(SquaredError):
    """divided by the number of entries in place of that of samples."""

    def backward(self, dout=1.0):
        return super().backward(dout) / self.difference.shape[1]


@bug("constant factor", "x", X, X[::-1].copy())
class _(SquaredError):
    """divided by the number of features in place of that of samples."""

    def backward(self, dout=1.0):
        return super().backward(dout) * len(self.difference) / self.difference.shape[1]


@bug("constant factor", "x", X, X[::-1].copy())
class _(MeanSquare):
    """samples that run along the last axis, and a missing 1/N."""

    def forward(self, y, t):
        super().forward(y, t)
        return (self.difference * self.difference).sum() / y.shape[1]

    def backward(self, dout=1.0):
        return 2.0 * dout * self.difference


@bug("constant factor", "W")
class _(Linear):
    """dW divided by the number of outputs."""

    def __init__(self):
        super().__init__(3, 4)

    def dW(self, dout):
        return super().dW(dout) / dout.shape[1]


# ------------------------------------------------------------------------------------- wrong shape or axis


@bug("wrong shape", "b")
class _(Linear):
    """db summed over everything."""

    def db(self, dout):
        return dout.sum()


@bug("wrong shape", "b")
class _(Linear):
    """db with the axis kept."""

    def db(self, dout):
        return dout.sum(axis=0, keepdims=True)


@bug("wrong shape", "b")
class _(Linear):
    """db not summed at all."""

    def db(self, dout):
        return dout


@bug("wrong shape", "b")
class _(Linear):
    """db summed over the classes."""

    def db(self, dout):
        return dout.sum(axis=1)


@bug("wrong shape", "W")
class _(Linear):
    """dW transposed."""

    def dW(self, dout):
        return dout.T @ self.x


@bug("wrong shape", "x")
class _(Shift):
    """dx summed over the batch."""

    def backward(self, dout):
        return super().backward(dout).sum(axis=0)


@bug("wrong shape", "x")
class _(Tanh):
    """dx flattened."""

    def backward(self, dout):
        return super().backward(dout).ravel()


@bug("wrong axis", "b")
class _(Linear):
    """db summed over the classes, with as many of them as samples."""

    def __init__(self):
        super().__init__(3, 5)

    def db(self, dout):
        return dout.sum(axis=1)


@bug("wrong axis", "W", SQUARE)
class _(Linear):
    """a square dW transposed."""

    def __init__(self):
        super().__init__(3, 3)

    def dW(self, dout):
        return dout.T @ self.x


@bug("wrong axis", "b")
class _(Linear):
    """db summed over everything and stretched."""

    def db(self, dout):
        return np.full(dout.shape[1], dout.sum())


@bug("wrong axis", "x")
class _(Shift):
    """dx summed over the batch and stretched."""

    def backward(self, dout):
        dx = super().backward(dout)
        return np.zeros_like(dx) + dx.sum(axis=0)


@bug("wrong axis", "x")
class _(Softmax):
    """a softmax whose backward sums over the batch."""

    axis = 0


@bug("wrong axis", "x")
class _(LayerNorm):
    """a layer norm whose backward takes means over the batch."""

    axis = 0


@bug("wrong axis", "W", SQUARE)
class _(Linear):
    """x for its transpose, with as many samples as features."""

    def __init__(self):
        super().__init__(3, 3)

    def dW(self, dout):
        return self.x @ dout


# ----------------------------------------------------------------------------------------------- accumulated


@bug("accumulated", "W")
class _(Reusing):
    """dW added to the last one."""

    def backward(self, dout):
        kept = self.grads["W"].copy()
        dx = super().backward(dout)
        self.grads["W"] += kept
        return dx


@bug("accumulated", "b")
class _(Reusing):
    """db added to the last one."""

    def backward(self, dout):
        kept = self.grads["b"].copy()
        dx = super().backward(dout)
        self.grads["b"] = self.grads["b"] + kept
        return dx


@bug("accumulated", "w")
class _(Scale):
    """a gradient added to whatever is there."""

    def backward(self, dout):
        kept = self.grads.get("w", 0.0)
        dx = super().backward(dout)
        self.grads["w"] = self.grads["w"] + kept
        return dx


@bug("accumulated", "W", X, LABELS)
class _(Classifier):
    """a network that adds up its gradients."""

    total = 0.0

    def dW(self, x, dz):
        self.total = self.total + super().dW(x, dz)
        return self.total


# ------------------------------------------------------------------------------ hidden state and randomness


@bug("hidden state", "")
class _(Own):
    """dropout from a generator that a check cannot put back."""

    def forward(self, x):
        self.mask = np.vectorize(lambda _: random.random() > 0.5)(x.real)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


@bug("hidden state", "")
class _(Scale):
    """an output that grows with every call."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * self.calls

    def backward(self, dout):
        return super().backward(dout * self.calls)


@bug("hidden state", "")
class _(Own):
    """a running mean that is subtracted."""

    mean = 0.0

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)
        return x - self.mean

    def backward(self, dout):
        return dout


@bug("hidden state", "", X, LABELS)
class _(Classifier):
    """a network with noise in its loss."""

    def loss(self, x, t):
        return super().loss(x, t) + 1e-3 * random.random()


# -------------------------------------------------------------------------------------- epsilon in the loss


@bug("epsilon in the loss", "x", X, LABELS)
class _(SoftmaxLoss):
    """the book's loss, with 1e-7 in its logarithm."""

    def forward(self, z, labels):
        super().forward(z, labels)
        return -np.log(self.y[np.arange(len(z)), self.labels] + 1e-7).mean()


@bug("epsilon in the loss", "x", X, LABELS)
class _(SoftmaxLoss):
    """an epsilon of 1e-9."""

    def forward(self, z, labels):
        super().forward(z, labels)
        return -np.log(self.y[np.arange(len(z)), self.labels] + 1e-9).mean()


@bug("epsilon in the loss", "x", X, (X > 0).astype(float))
class _(Own):
    """binary cross-entropy with an epsilon."""

    def forward(self, x, t):
        self.p, self.t = 1.0 / (1.0 + np.exp(-x)), t
        right = np.where(t == 1.0, self.p, 1.0 - self.p)
        return -np.log(right + 1e-7).sum() / len(x)

    def backward(self, dout=1.0):
        return dout * (self.p - self.t) / len(self.t)


@bug("epsilon in the loss", "x", X[:1], LABELS[:1])
class _(SoftmaxLoss):
    """the book's loss of a single sample."""

    def forward(self, z, labels):
        super().forward(z, labels)
        return -np.log(self.y[np.arange(len(z)), self.labels] + 1e-7).mean()


@bug("epsilon in the loss", "x", UNLIKELY, LABELS)
class _(SoftmaxLoss):
    """an epsilon that is larger than a probability."""

    def forward(self, z, labels):
        super().forward(z, labels)
        return -np.log(self.y[np.arange(len(z)), self.labels] + 1e-7).mean()


@bug("epsilon in the loss", "W", X, LABELS)
class _(Classifier):
    """a network with an epsilon in its loss."""

    def loss(self, x, t):
        super().loss(x, t)
        return -np.log(self.last.y[np.arange(len(x)), t] + 1e-7).mean()


# ---------------------------------------------------------------------------------------------- weight decay


@bug("weight decay", "W")
class _(Linear):
    """a weight decay in dW alone."""

    def dW(self, dout):
        return super().dW(dout) + 0.1 * self.params["W"]


@bug("weight decay", "W")
class _(Linear):
    """a small weight decay in dW alone."""

    def dW(self, dout):
        return super().dW(dout) + 1e-4 * self.params["W"]


@bug("weight decay", "b", X[:1])
class _(Linear):
    """a decay by the sign in db alone."""

    def db(self, dout):
        return super().db(dout) + 0.01 * np.sign(self.params["b"])


@bug("weight decay", "g")
class _(Gain):
    """a weight decay of one number in backward alone."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["g"] = self.grads["g"] + 0.1 * self.params["g"]
        return dx


@bug("weight decay", "W", X, LABELS)
class _(Classifier):
    """a network's weight decay in its gradient alone."""

    def dW(self, x, dz):
        return super().dW(x, dz) + 0.05 * self.params["W"]


@bug("weight decay", "W", X, LABELS)
class _(Classifier):
    """a network's weight decay in its loss alone."""

    def loss(self, x, t):
        return super().loss(x, t) + 0.05 * (self.params["W"] ** 2).sum()


@bug("weight decay", "W", X, LABELS)
class _(Decaying):
    """a network's weight decay without its factor of 2."""

    def dW(self, x, dz):
        return super().dW(x, dz) - 0.05 * self.params["W"]


@bug("weight decay", "W")
class _(Linear):
    """a weight decay with a wrong sign."""

    def dW(self, dout):
        return super().dW(dout) - 0.1 * self.params["W"]


# -------------------------------------------------------------------------- a diagonal in place of a Jacobian


@bug("diagonal only", "x")
class _(Softmax):
    """a softmax's diagonal alone."""

    def backward(self, dout):
        return dout * self.y * (1.0 - self.y)


@bug("diagonal only", "x", X[:1])
class _(Softmax):
    """a softmax's diagonal alone, of one sample."""

    def backward(self, dout):
        return dout * (self.y - self.y**2)


@bug("diagonal only", "x")
class _(Softmax):
    """the diagonal of a softmax's logarithm alone."""

    def forward(self, x):
        return np.log(super().forward(x))

    def backward(self, dout):
        return dout * (1.0 - self.y)


# ------------------------------------------------------------------------------------ gradient of the logits


@bug("constant factor", "x", PROBABILITIES, LABELS)
class _(LikelihoodLoss):
    """nothing from a loss of probabilities."""

    def backward(self, dout=1.0):
        return 0.0 * dout * self.p


@bug("gradient of the logits", "x", PROBABILITIES, LABELS)
class _(LikelihoodLoss):
    """p - t from a loss of probabilities."""

    def backward(self, dout=1.0):
        return dout * (self.p - self.t) / len(self.p)


@bug("gradient of the logits", "x", PROBABILITIES, ONE_HOT)
class _(LikelihoodLoss):
    """p - t from a loss of probabilities, without dout and 1/N."""

    def backward(self, dout=1.0):
        return self.p - self.t


@bug("gradient of the logits", "x", PROBABILITIES, LABELS)
class _(LikelihoodLoss):
    """p - t from a loss of probabilities with an epsilon."""

    epsilon = 1e-7

    def backward(self, dout=1.0):
        return dout * (self.p - self.t) / len(self.p)


@bug("gradient of the logits", "x", PROBABILITIES[:2], LABELS[:2])
class _(LikelihoodLoss):
    """p - t of two samples."""

    def backward(self, dout=1.0):
        return dout * (self.p - self.t) / len(self.p)


@bug("gradient of the logits", "x", PROBABILITIES, (X > 0).astype(float))
class _(LikelihoodLoss):
    """p - t from a binary cross-entropy of probabilities."""

    def forward(self, p, t):
        self.p, self.t = p, t
        return -(t * np.log(p) + (1.0 - t) * np.log(1.0 - p)).mean()

    def backward(self, dout=1.0):
        return dout * (self.p - self.t) / self.p.size


# ------------------------------------------------------------------ not analytic, and wrong: not to be passed


@bug("constant factor", "x")
class _(Magnitude):
    """a magnitude with a wrong sign."""

    def backward(self, dout):
        return -super().backward(dout)


@bug("constant factor", "x")
class _(Magnitude):
    """a magnitude without a gradient, as the complex step would have it."""

    def backward(self, dout):
        return 0.0 * dout


@bug("wrong", "x")
class _(Own):
    """a term that a cast to real hides from the complex step."""

    def forward(self, x):
        self.x = x.real
        return x + self.x * self.x

    def backward(self, dout):
        return dout


# ------------------------------------------------------------------------------------- missing, not a number


@bug("missing gradient", "b")
class _(Linear):
    """a forgotten db."""

    def backward(self, dout):
        dx = super().backward(dout)
        del self.grads["b"]
        return dx


@bug("missing gradient", "x")
class _(Tanh):
    """a backward that returns nothing."""

    def backward(self, dout):
        super().backward(dout)


@bug("missing gradient", "x")
class _(Tanh):
    """a gradient that is a list."""

    def backward(self, dout):
        return super().backward(dout).tolist()


@bug("not finite", "x")
class _(Tanh):
    """one NaN in a gradient."""

    def backward(self, dout):
        dx = super().backward(dout)
        dx[1, 2] = np.nan
        return dx


@bug("not finite", "W")
class _(Linear):
    """an infinite entry in a gradient."""

    def dW(self, dout):
        dW = super().dW(dout)
        dW[2, 1] = np.inf
        return dW


@bug("no response", "W")
class _(Linear):
    """a forward that goes on with a copy of W."""

    def __init__(self):
        super().__init__()
        self.copy = self.params["W"] * 1.0

    def forward(self, x):
        self.x = x
        return x @ self.copy + self.params["b"]


# ------------------------------------------------------------------------------------------- any other wrong


@bug("wrong", "W")
class _(Linear):
    """one entry off by 1e-6."""

    def dW(self, dout):
        dW = super().dW(dout)
        dW[2, 1] += 1e-6
        return dW


@bug("wrong", "x")
class _(Shift):
    """dx in another order of samples."""

    def backward(self, dout):
        return super().backward(dout)[::-1]


@bug("wrong", "x")
class _(Rectifier):
    """a mask at another threshold."""

    def forward(self, x):
        out = super().forward(x)
        self.mask = x > -0.5
        return out


@bug("wrong", "x")
class _(Logistic):
    """x for y in a derivative."""

    def forward(self, x):
        self.x = x
        return super().forward(x)

    def backward(self, dout):
        return dout * self.y * (1.0 - self.x)


@bug("wrong", "x")
class _(Tanh):
    """y for its square."""

    def backward(self, dout):
        return dout * (1.0 - self.y)


@bug("wrong", "x")
class _(LayerNorm):
    """a layer norm whose standard deviation counts as constant."""

    def backward(self, dout):
        return (dout - dout.mean(axis=1, keepdims=True)) / self.std


@bug("wrong", "x")
class _(BatchNorm):
    """a batch norm whose mean counts as constant."""

    def mean_of(self, dy):
        return 0.0


@bug("wrong", "x")
class _(Linear):
    """the wrong weights in dx."""

    def dx(self, dout):
        return dout @ (self.params["W"] + 0.01).T


@bug("wrong", "W", X, LABELS)
class _(Classifier):
    """a network that forgets the derivative of tanh in one column."""

    def dW(self, x, dz):
        dW = super().dW(x, dz)
        dW[:, 1] = 0.0
        return dW


@bug("constant factor", "b")
class _(FlatRowBias):
    """twice db, flat, for a bias of one row."""

    def db(self, dout):
        return 2.0 * super().db(dout)


@bug("accumulated", "b")
class _(FlatRowBias):
    """db added to the last one, flat, for a bias of one row."""

    total = 0.0

    def db(self, dout):
        self.total = self.total + super().db(dout)
        return self.total


@bug("wrong shape", "x", X[:1])
class _(Shift):
    """dx of one sample, flat."""

    def backward(self, dout):
        return super().backward(dout)[0]


@bug("wrong", "W")
class _(Linear):
    """a constant added to dW."""

    def dW(self, dout):
        return super().dW(dout) + 0.1


@bug("wrong", "g")
class _(Gain):
    """a constant added to the gradient of one number."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["g"] = self.grads["g"] + 0.1
        return dx


@bug("wrong", "x", PAIRED)
class _(Logistic):
    """one entry of many, where rows happen to sum to 1."""

    def backward(self, dout):
        dx = super().backward(dout)
        dx[1, 0] *= 1.01
        return dx


@bug("wrong", "x", PROBABILITIES, LABELS)
class _(LikelihoodLoss):
    """one t / p of a loss of probabilities."""

    def backward(self, dout=1.0):
        dp = super().backward(dout)
        dp[2] = dout * (self.p - self.t)[2] / len(self.p)
        return dp
