"""The sentence on the cause, for planted bugs whose verdict can have several causes."""

import numpy as np
import pytest
from planted_bugs import BUGS
from right_layers import LABELS, RIGHT, Classifier, X

from backprop import check_gradients

SAID = {
    "a missing 1/N": ", the number of samples N: a division by N is missing",
    "a missing 1/N of two samples": ", the number of samples N: a division by N is missing",
    "a sum in place of a mean over two samples": ", the number of samples N: a division by N is missing",
    "a network's dW times N": ", the number of samples N: a division by N is missing",
    "a mean in place of a sum over two samples": (
        "is 0.5 times the derivative, 1/N for N samples: a division by N too many"
    ),
    "a mean in place of a sum in dW": (
        "is 0.2 times the derivative, 1/N for N samples: a division by N too many"
    ),
    "a doubled 1/N": "1/N for N samples: a division by N too many",
    "a product with N in place of a division": "25 times the derivative, 5 · 5, from the number of samples",
    "a forgotten 2": "backward is 0.5 times the derivative",
    "a forgotten 2 with two samples": "backward is 0.5 times the derivative",
    "twice dW of one sample": "backward is 2 times the derivative",
    "a mean over all entries without its division": (
        "is 15 times the derivative, 5 · 3, the number of entries: a division by it is missing"
    ),
    "half a mean over all entries without its division": (
        "is 7.5 times the derivative, 0.5 · 5 · 3, from the lengths of axes 0, 1 of the input"
    ),
    "divided by the number of samples in place of that of entries": (
        "is 3 times the derivative, the length of axis 1 of the input: a division by it is missing"
    ),
    "divided by the number of entries in place of that of samples": (
        "is 0.333333 times the derivative, 1 / 3, one over the length of axis 1 of the input: a division by "
        "it too many, or a mean in place of a sum"
    ),
    "divided by the number of features in place of that of samples": (
        "is 1.66667 times the derivative, 5 / 3, from the lengths of axes 0, 1 of the input"
    ),
    "samples that run along the last axis, and a missing 1/N": (
        "is 3 times the derivative, the length of axis 1 of the input: a division by it is missing"
    ),
    "dW divided by the number of outputs": (
        "is 0.25 times the derivative, which is 1 / 4; 4 is the length of axis 1 of the output"
    ),
    "a weight decay in dW alone": "is the derivative plus 0.1 W: more weight decay (L2) than in forward",
    "a small weight decay in dW alone": "plus 0.0001 W: more weight decay (L2) than in forward",
    "a decay by the sign in db alone": "plus 0.01 sign b: more weight decay (L1) than in forward",
    "a network's weight decay in its gradient alone": "plus 0.05 W: more weight decay (L2) than in forward",
    "a network's weight decay in its loss alone": "minus 0.1 W: less weight decay (L2) than in forward",
    "a network's weight decay without its factor of 2": "minus 0.05 W: less weight decay (L2) than in",
    "a weight decay with a wrong sign": "less weight decay (L2) than in forward, or with the wrong sign",
    "a softmax's diagonal alone": "backward uses only the diagonal of the softmax's Jacobian",
    "the diagonal of a softmax's logarithm alone": "backward uses only the diagonal of the Jacobian",
    "p - t from a loss of probabilities": "takes the probabilities p, whose gradient is a multiple of -t / p",
    "p - t from a binary cross-entropy of probabilities": "is a multiple of (p - t) / (p (1 - p))",
    "an epsilon that is larger than a probability": "the loss has an epsilon of 1e-07 in its logarithm",
    "a network with an epsilon in its loss": "an epsilon in its logarithm (1e-07 if nothing else is wrong)",
}


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("name", SAID)
def test_the_cause_is_named(name, method):
    bug = BUGS[name]
    (why,) = (array.why for array in check_gradients(*bug(), method=method).arrays if array.name == bug.array)
    assert why.endswith(SAID[name]) if SAID[name].endswith("derivative") else SAID[name] in why


def test_a_number_is_no_number_of_samples_where_another_batch_says_otherwise():
    """A constant factor of 5 is not called the number of samples, although that is 5."""

    class Five(Classifier):
        def dW(self, x, dz):
            return 5.0 * super().dW(x, dz)

    (array,) = (array for array in check_gradients(Five(), X, LABELS).arrays if not array.ok)
    assert array.why == "backward is 5 times the derivative"


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_a_flat_gradient_of_a_row_is_right_and_shown(mode):
    report = check_gradients(*RIGHT["bias of one row with a flat gradient"](), mode=mode)
    assert report.ok
    assert {array.name: array.verdict for array in report.arrays} == {
        "W": "ok",
        "b": "ok, other shape",
        "x": "ok",
    }
    said = " ".join(str(report).split())
    assert "b: ok, other shape: the gradient has shape (2,), the parameter (1, 2)" in said


def test_an_epsilon_is_found_though_some_samples_pass_nothing_back():
    """Two of the samples have no unit alive."""

    class Net:
        def __init__(self):
            rng = np.random.default_rng(2)
            self.params = {"W1": abs(rng.normal(size=(3, 4))), "W2": rng.normal(size=(4, 3))}

        def loss(self, x, t):
            z = x @ self.params["W1"]
            self.h = z * (z.real > 0)
            e = np.exp(self.h @ self.params["W2"])
            self.p = e / e.sum(axis=1, keepdims=True)
            return -np.log(self.p[np.arange(len(t)), t] + 1e-7).mean()

        def gradient(self, x, t):
            self.loss(x, t)
            d = (self.p - np.eye(3)[t]) / len(t)
            return {"W1": x.T @ (d @ self.params["W2"].T * (self.h > 0)), "W2": self.h.T @ d}

    x = np.array([[-1.0], [-2.0], [1.0], [0.5], [0.8]]) * np.array([[1.0, 0.9, 1.1]])
    report = check_gradients(Net(), x, LABELS)
    assert [array.verdict for array in report.arrays] == ["epsilon in the loss"] * 2, str(report)


@pytest.mark.parametrize("factor", [1.0, 7.0])
def test_a_gradient_that_is_added_is_accumulated_whether_it_is_right_or_not(factor):
    class Adds:
        def __init__(self):
            self.W, self.dW = np.ones(3), np.zeros(3)

        def forward(self, x):
            self.x = x
            return x * self.W

        def backward(self, dout):
            self.dW += factor * (dout * self.x).sum(axis=0)
            return dout * self.W

    verdicts = {array.name: array.verdict for array in check_gradients(Adds(), X[:, :3]).arrays}
    assert verdicts["W"] == "accumulated" and verdicts["x"] == "ok"


def test_a_decay_by_both_norms_is_told():
    class Net(Classifier):
        def dW(self, x, dz):
            W = self.params["W"]
            return super().dW(x, dz) + 0.01 * W + 0.02 * np.sign(W)

    (array,) = (array for array in check_gradients(Net(), X, LABELS).arrays if not array.ok)
    assert array.verdict == "weight decay"
    assert "plus 0.01 W plus 0.02 sign W: more weight decay (L2 and L1)" in array.why
