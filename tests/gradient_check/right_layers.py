"""Layers as a user of NumPy writes them, with the right gradients: none may raise an alarm.

The wrong ones of `planted_bugs.py` derive from these, so that each is wrong in one thing only.
"""

import numpy as np


class Own:
    """A user's own layer: arrays by name, no base class of the library."""

    def __init__(self, **params):
        self.params, self.grads = params, {}


class Linear(Own):
    """out = x W + b."""

    def __init__(self, n_in=3, n_out=2):
        rng = np.random.default_rng(1)
        super().__init__(W=rng.normal(size=(n_in, n_out)), b=rng.normal(size=n_out))

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.dW(dout)
        self.grads["b"] = self.db(dout)
        return self.dx(dout)

    def dW(self, dout):
        return self.x.T @ dout

    def db(self, dout):
        return dout.sum(axis=0)

    def dx(self, dout):
        return dout @ self.params["W"].T


class Scale(Own):
    """out = w x, for each feature."""

    def __init__(self, size=3):
        super().__init__(w=np.arange(1.0, size + 1.0))

    def forward(self, x):
        self.x = x
        return x * self.params["w"]

    def backward(self, dout):
        self.grads["w"] = (dout * self.x).sum(axis=0)
        return dout * self.params["w"]


class Gain(Own):
    """out = g x with one number g."""

    def __init__(self):
        super().__init__(g=np.array([1.5]))

    def forward(self, x):
        self.x = x
        return x * self.params["g"]

    def backward(self, dout):
        self.grads["g"] = np.array([(dout * self.x).sum()])
        return dout * self.params["g"]


class Rectifier(Own):
    """out = max(x, 0) by numpy.maximum, which orders complex numbers by their imaginary part at the kink."""

    def forward(self, x):
        self.mask = x > 0
        return np.maximum(x, 0)

    def backward(self, dout):
        return dout * self.mask


class Logistic(Own):
    """out = 1 / (1 + exp(-x))."""

    def forward(self, x):
        self.y = 1.0 / (1.0 + np.exp(-x))
        return self.y

    def backward(self, dout):
        return dout * self.y * (1.0 - self.y)


class Tanh(Own):
    """out = tanh x."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dout):
        return dout * (1.0 - self.y**2)


class Magnitude(Own):
    """out = |x|, which is not analytic."""

    def forward(self, x):
        self.sign = np.sign(x.real)
        return abs(x)

    def backward(self, dout):
        return dout * self.sign


class RealSquare(Own):
    """out = x², computed through a cast to real numbers."""

    def forward(self, x):
        self.x = x.real
        return self.x * self.x

    def backward(self, dout):
        return 2.0 * dout * self.x


class OnlyFloats(Own):
    """out = x², computed by a function that refuses complex numbers."""

    def forward(self, x):
        self.x = x
        return np.vectorize(lambda value: float(value) ** 2, otypes=[float])(x)

    def backward(self, dout):
        return 2.0 * dout * self.x


class Softmax(Own):
    """Each row of out = exp x / Σ exp x."""

    axis = 1

    def forward(self, x):
        e = np.exp(x - x.real.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=self.axis, keepdims=True))


class LayerNorm(Own):
    """Each row minus its mean, over its standard deviation."""

    axis = 1

    def forward(self, x):
        centred = x - x.mean(axis=1, keepdims=True)
        self.std = np.sqrt((centred * centred).mean(axis=1, keepdims=True))
        self.y = centred / self.std
        return self.y

    def backward(self, dout):
        mean = dout.mean(axis=self.axis, keepdims=True)
        along = (dout * self.y).mean(axis=self.axis, keepdims=True)
        return (dout - mean - self.y * along) / self.std


class BatchNorm(Own):
    """Each column minus its batch mean, over its standard deviation: samples depend on each other."""

    def __init__(self):
        super().__init__(gamma=np.array([1.0, -2.0, 0.5]), beta=np.array([0.1, 0.2, 0.3]))
        self.running_mean = 0.0

    def forward(self, x):
        mean = x.mean(axis=0)
        self.running_mean = 0.9 * self.running_mean + 0.1 * mean  # a state that out does not depend on
        centred = x - mean
        self.std = np.sqrt((centred * centred).mean(axis=0) + 1e-5)
        self.y = centred / self.std
        return self.params["gamma"] * self.y + self.params["beta"]

    def backward(self, dout):
        self.grads["gamma"] = (dout * self.y).sum(axis=0)
        self.grads["beta"] = dout.sum(axis=0)
        dy = dout * self.params["gamma"]
        return (dy - self.mean_of(dy) - self.y * (dy * self.y).mean(axis=0)) / self.std

    def mean_of(self, dy):
        return dy.mean(axis=0)


class MaxPool(Own):
    """The largest of each row: a kink wherever two are equal."""

    def forward(self, x):
        self.x, self.at = x, x.real.argmax(axis=1)
        return x[np.arange(len(x)), self.at]

    def backward(self, dout):
        dx = np.zeros(self.x.shape)
        dx[np.arange(len(dx)), self.at] = dout
        return dx


class FrozenDropout(Own):
    """Dropout with a mask that is drawn once."""

    def forward(self, x):
        self.mask = np.random.default_rng(3).random(x.shape) > 0.4
        return x * self.mask / 0.6

    def backward(self, dout):
        return dout * self.mask / 0.6


class Reusing(Linear):
    """A layer that writes its gradients into the same arrays at every backward."""

    def __init__(self):
        super().__init__()
        self.grads = {name: np.zeros(value.shape) for name, value in self.params.items()}

    def backward(self, dout):
        np.matmul(self.x.T, dout, out=self.grads["W"])
        self.grads["b"][...] = dout.sum(axis=0)
        return self.dx(dout)


class TwoNames(Own):
    """A layer that holds its float32 array both as an attribute and in params."""

    def __init__(self):
        self.w = np.array([1.0, -2.0, 3.0], dtype="float32")
        super().__init__(w=self.w)

    def forward(self, x):
        self.x = x
        return x * self.w

    def backward(self, dout):
        self.grads["w"] = (dout * self.x).sum(axis=0)
        return dout * self.w


class Shift(Own):
    """out = x + b, whose backward returns dout itself, not a copy."""

    def __init__(self):
        super().__init__(b=np.ones(3))

    def forward(self, x):
        return x + self.params["b"]

    def backward(self, dout):
        self.grads["b"] = dout.sum(axis=0)
        return dout


class SoftmaxLoss(Own):
    """Mean cross-entropy of softmax(z), by log-sum-exp."""

    def forward(self, z, labels):
        z = z - z.real.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        self.y, self.labels = e / total, np.asarray(labels)
        rows = np.arange(len(z))
        return self.reduce(np.log(total[:, 0]) - z[rows, self.labels])

    def backward(self, dout=1.0):
        dz = self.y.copy()
        dz[np.arange(len(dz)), self.labels] -= 1.0
        return dout * self.over(dz)

    def reduce(self, losses):
        return losses.mean()

    def over(self, dz):
        return dz / len(dz)


class SquaredError(Own):
    """Σ (y - t)² / N."""

    def forward(self, y, t):
        self.difference = y - t
        return (self.difference * self.difference).sum() / len(y)

    def backward(self, dout=1.0):
        return 2.0 * dout * self.difference / len(self.difference)


class MeanSquare(SquaredError):
    """The mean of (y - t)² over all entries."""

    def forward(self, y, t):
        super().forward(y, t)
        return (self.difference * self.difference).mean()

    def backward(self, dout=1.0):
        return 2.0 * dout * self.difference / self.difference.size


class LikelihoodLoss(Own):
    """Mean cross-entropy of probabilities: t are labels or one-hot."""

    epsilon = 0.0

    def forward(self, p, t):
        self.p, self.t = p, np.eye(p.shape[1])[t] if np.ndim(t) == 1 else t
        return -(self.t * np.log(p + self.epsilon)).sum() / len(p)

    def backward(self, dout=1.0):
        return -dout * self.t / self.p / len(self.p)


class RowBias(Linear):
    """A linear layer whose b and db have shape (1, M)."""

    def __init__(self):
        super().__init__()
        self.params["b"] = self.params["b"][None, :]

    def db(self, dout):
        return dout.sum(axis=0, keepdims=True)


class FlatRowBias(RowBias):
    """A linear layer whose b has shape (1, M) and db shape (M,), which broadcasts."""

    def db(self, dout):
        return dout.sum(axis=0)


class Classifier:
    """A user's own network with `loss` and `gradient` as in the book."""

    def __init__(self):
        rng = np.random.default_rng(2)
        self.params = {"W": rng.normal(size=(3, 4)), "b": np.zeros(4)}
        self.last = SoftmaxLoss()

    def loss(self, x, t):
        return self.last.forward(np.tanh(x @ self.params["W"] + self.params["b"]), t)

    def gradient(self, x, t):
        h = np.tanh(x @ self.params["W"] + self.params["b"])
        self.last.forward(h, t)
        dz = self.last.backward() * (1.0 - h * h)
        return {"W": self.dW(x, dz), "b": dz.sum(axis=0)}

    def dW(self, x, dz):
        return x.T @ dz


class Decaying(Classifier):
    """A network with weight decay in its loss and its gradient."""

    def loss(self, x, t):
        return super().loss(x, t) + 0.05 * (self.params["W"] ** 2).sum()

    def dW(self, x, dz):
        return super().dW(x, dz) + 0.1 * self.params["W"]


RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3))
SQUARE = RNG.normal(size=(3, 3))
LABELS = np.array([0, 2, 1, 1, 2])
WITH_ZEROS = np.where(RNG.random((5, 3)) < 0.5, 0.0, X)
TIED = np.array([[1.0, 1.0, 0.0], [2.0, -1.0, 2.0]])
NEAR_KINKS = np.array([[3e-7, -2e-7, 1.0], [0.0, -0.0, 5e-8]])
PAIRED = X[:, :1] * np.array([1.0, -1.0])  # where each row of a logistic sums to 1, as a softmax does
PROBABILITIES = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
ONE_HOT = np.eye(3)[LABELS]
UNLIKELY = X - 19.0 * np.eye(5, 3, -2)  # the last two labels have probabilities of about 2e-9

RIGHT = {
    "linear": lambda: (Linear(), X),
    "linear, as many samples as units": lambda: (Linear(3, 3), SQUARE),
    "scale": lambda: (Scale(), X),
    "one number": lambda: (Gain(), X),
    "rectifier": lambda: (Rectifier(), X),
    "rectifier at its kink": lambda: (Rectifier(), WITH_ZEROS),
    "rectifier of nothing but kinks": lambda: (Rectifier(), np.zeros((2, 3))),
    "rectifier near its kink": lambda: (Rectifier(), NEAR_KINKS),
    "logistic": lambda: (Logistic(), X),
    "logistic in its tails": lambda: (Logistic(), 30.0 * X),
    "tanh": lambda: (Tanh(), X),
    "magnitude": lambda: (Magnitude(), X),
    "magnitude at its kink": lambda: (Magnitude(), WITH_ZEROS),
    "square by a cast": lambda: (RealSquare(), X),
    "square of floats only": lambda: (OnlyFloats(), X),
    "softmax": lambda: (Softmax(), X),
    "layer norm": lambda: (LayerNorm(), X),
    "batch norm": lambda: (BatchNorm(), X),
    "max pool": lambda: (MaxPool(), X),
    "max pool with ties": lambda: (MaxPool(), TIED),
    "frozen dropout": lambda: (FrozenDropout(), X),
    "reused gradient arrays": lambda: (Reusing(), X),
    "one array under two names": lambda: (TwoNames(), X),
    "dout handed on": lambda: (Shift(), X),
    "softmax loss": lambda: (SoftmaxLoss(), X, LABELS),
    "softmax loss, saturated": lambda: (SoftmaxLoss(), 300.0 * X, LABELS),
    "squared error": lambda: (SquaredError(), X, X[::-1].copy()),
    "mean square": lambda: (MeanSquare(), X, X[::-1].copy()),
    "loss of probabilities": lambda: (LikelihoodLoss(), PROBABILITIES, LABELS),
    "loss of probabilities, one-hot": lambda: (LikelihoodLoss(), PROBABILITIES, ONE_HOT),
    "logistic whose rows sum to 1": lambda: (Logistic(), PAIRED),
    "bias of one row": lambda: (RowBias(), X),
    "bias of one row with a flat gradient": lambda: (FlatRowBias(), X),
    "weight decay in loss and gradient": lambda: (Decaying(), X, LABELS),
    "own network": lambda: (Classifier(), X, LABELS),
}
