"""Functions: `forward` gives (out, cache), `backward` takes (dout, cache), a loss gives (loss, dx)."""

import numpy as np

rng = np.random.default_rng(10)


def amplified_forward(x, w, b):
    """A gain of exp(b) for each column of x w."""
    out = x @ w * np.exp(b)
    return out, (x, w, b, out)


def amplified_backward(dout, cache):
    x, w, b, out = cache
    inner = dout * np.exp(b)
    return inner @ w.T, x.T @ inner, (dout * out).sum(axis=0)


def amplified_backward_of_means(dout, cache):
    dx, dw, db = amplified_backward(dout, cache)
    return dx, dw, db / len(dout)


def half_parabola_forward(x):
    """x² on the right of 0 only."""
    return x * x * (x > 0), x


def half_parabola_backward(dout, cache):
    return 2.0 * dout * cache * (cache > 0)


def half_parabola_backward_by_dout(dout, cache):
    """Where dout is above 0, in place of x."""
    return 2.0 * dout * cache * (dout > 0)


def damped_forward(x, gamma, beta):
    """Each row over 1 + the mean of its squares, times gamma, plus beta."""
    size = 1.0 + (x * x).mean(axis=1, keepdims=True)
    return gamma * (x / size) + beta, (x, size, gamma)


def damped_backward(dout, cache):
    x, size, gamma = cache
    d = dout * gamma
    along = (d * x).mean(axis=1, keepdims=True)
    return (d - 2.0 * x / size * along) / size, (dout * x / size).sum(axis=0), dout.sum(axis=0)


def one_against_all_loss(x, y):
    """A logistic loss for each class, 1 for the label and 0 for the others; a mean over samples."""
    sign = np.where(np.arange(x.shape[1]) == y[:, None], -1.0, 1.0)
    odds = np.exp(sign * x)
    return np.log(1.0 + odds).sum() / len(x), sign * odds / (1.0 + odds) / len(x)


def one_against_all_loss_without_n(x, y):
    loss, dx = one_against_all_loss(x, y)
    return loss, dx * len(x)


X, W, B, GAMMA = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=4)
Y = np.array([0, 3, 1, 1, 2])

RIGHT = [
    ((amplified_forward, amplified_backward), (X, W, B), ["x", "w", "b"]),
    ((half_parabola_forward, half_parabola_backward), (X,), ["x"]),
    ((damped_forward, damped_backward), (X, GAMMA, GAMMA + 1), ["x", "gamma", "beta"]),
    ((one_against_all_loss, None), (X, Y), ["x"]),
]
WRONG = [
    ((amplified_forward, amplified_backward_of_means), (X, W, B), ["b"]),
    ((half_parabola_forward, half_parabola_backward_by_dout), (X,), ["x"]),
    ((one_against_all_loss_without_n, None), (X, Y), ["x"]),
]
