"""Faults that other people's layers revealed in the check: wrong layers that passed, right ones blamed."""

import subprocess
import sys
from importlib import import_module
from inspect import getsource

import numpy as np
import pytest
from right_layers import Linear, Rectifier, SoftmaxLoss

from backprop import check_gradients
from backprop.layers import Affine

X = np.random.default_rng(0).normal(size=(5, 4))
T = np.array([0, 1, 2, 0, 1])
MODES = pytest.mark.parametrize("mode", ["fast", "full"])


def verdicts_of(report):
    return {array.name: array.verdict for array in report.arrays}


def is_right(report):
    """Return whether each array is right, by name."""
    assert bool(report) == report.ok
    return {array.name: array.ok for array in report.arrays}


def new(*shape):
    return np.random.default_rng(1).normal(size=shape)


class Masking(Rectifier):
    """A layer that clears dout in place, which is harmless here."""

    def backward(self, dout):
        dout[~self.mask] = 0.0
        return dout


class WithEpsilon(SoftmaxLoss):
    """The loss of the book."""

    def forward(self, z, labels):
        super().forward(z, labels)
        return -np.log(self.y[np.arange(len(z)), self.labels] + 1e-7).mean()


class Decaying:
    """Two layers, a loss in `last_layer`, and weight decay in loss and gradient."""

    decay = 0.1

    def __init__(self, between, last):
        self.layers = {"A1": Linear(4, 5), "R": between, "A2": Linear(5, 3)}
        self.last_layer = last
        self.params = {f"{name}{i}": a for i in (1, 2) for name, a in self.layers[f"A{i}"].params.items()}

    def loss(self, x, t):
        for layer in self.layers.values():
            x = layer.forward(x)
        squares = sum((self.params[name] ** 2).sum() for name in ("W1", "W2"))
        return self.last_layer.forward(x, t) + 0.5 * self.decay * squares

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last_layer.backward(1.0)
        for layer in [*self.layers.values()][::-1]:
            dout = layer.backward(dout)
        found = {f"{name}{i}": a for i in (1, 2) for name, a in self.layers[f"A{i}"].grads.items()}
        return {name: a + self.decay * self.params[name] * (name[0] == "W") for name, a in found.items()}


# ------------------------------------------------------------------------------- what was not compared


@MODES
def test_a_bias_beside_params_that_has_no_gradient_is_told(mode):
    class Half(Linear):
        def __init__(self):
            super().__init__(4, 3)
            self.offset = self.params.pop("b")

        def forward(self, x):
            self.x = x
            return x @ self.params["W"] + self.offset

        def backward(self, dout):
            self.grads["W"] = self.x.T @ dout
            return dout @ self.params["W"].T

    report = check_gradients(Half(), X, mode=mode)
    assert verdicts_of(report) == {"W": "ok", "x": "ok", "offset": "not compared"} and not report


@pytest.mark.parametrize("factor", [1.0, 7.0])
def test_layers_of_the_library_in_somebody_s_own_container(factor):
    class Chain:
        def __init__(self):
            self.layers = [Affine.create(4, 3, rng=0), Affine.create(3, 2, rng=1)]

        def forward(self, x):
            for layer in self.layers:
                x = layer.forward(x)
            return x

        def backward(self, dout):
            for layer in self.layers[::-1]:
                dout = layer.backward(dout)
            self.layers[0].grads["W"][...] *= factor
            return dout

    names = ["layers[0].W", "layers[0].b", "layers[1].W", "layers[1].b", "x"]
    assert is_right(check_gradients(Chain(), X)) == {name: name != names[0] or factor == 1 for name in names}


@MODES
def test_arrays_deep_in_a_network_that_are_not_among_its_params_are_told(mode):
    class Weighted(SoftmaxLoss):
        """The second class counts twice."""

        def __init__(self):
            super().__init__()
            self.weights = np.array([1.0, 2.0, 1.0])

        def forward(self, z, labels):
            super().forward(z, labels)
            return (self.weights[labels] * -np.log(self.y[np.arange(len(z)), labels])).mean()

        def backward(self, dout=1.0):
            return super().backward(dout) * self.weights[self.labels][:, None]

    net = Decaying(Rectifier(), Weighted())
    report = check_gradients(net, X, T, mode=mode)
    right = dict.fromkeys(net.params, "ok")
    assert verdicts_of(report) == {**right, "last_layer.weights": "not compared"} and not report
    assert check_gradients(net, X, T, mode=mode, constants=["last_layer.weights"])


@pytest.mark.parametrize("taken_from", ["normed", "output"])
def test_a_batch_normalization_whose_gradient_of_the_scale_is_taken_from_its_output(taken_from):
    class Norm:
        def __init__(self):
            self.BW, self.Bb = 1.0 + abs(new(1, 4)), new(1, 4)

        def forward(self, x):
            self.spread = np.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0) + 1e-5)
            self.normed = (x - x.mean(axis=0)) / self.spread
            self.output = self.BW * self.normed + self.Bb
            return self.output

        def backward(self, dLdy):
            self.dLdBW = (dLdy * getattr(self, taken_from)).sum(axis=0, keepdims=True)
            self.dLdBb = dLdy.sum(axis=0, keepdims=True)
            d = dLdy * self.BW
            return (d - d.mean(axis=0) - self.normed * (d * self.normed).mean(axis=0)) / self.spread

    assert is_right(check_gradients(Norm(), X)) == {"BW": taken_from == "normed", "Bb": True, "x": True}


# ------------------------------------------------------------------------- what was blamed on another


@MODES
@pytest.mark.parametrize("between", [Masking, Rectifier])
def test_an_epsilon_is_the_fault_of_the_loss_whatever_a_layer_writes_into_and_whatever_decays(between, mode):
    report = check_gradients(Decaying(between(), WithEpsilon()), X, T, mode=mode)
    assert {(array.verdict, array.why) for array in report.arrays} == {
        ("epsilon in the loss", "see WithEpsilon")
    }
    assert [fault.kind for fault in report.faults] == ["epsilon in the loss"]
    assert "an epsilon of 1e-07 in its logarithm" in report.faults[0].why
    check_gradients(Decaying(between(), SoftmaxLoss()), X, T, mode=mode).assert_ok()


@MODES
@pytest.mark.parametrize("share", [True, False])
def test_a_pool_that_gives_the_gradient_to_all_tied_entries(share, mode):
    class Pool:
        """The larger of each two in a row."""

        def forward(self, x):
            self.pairs = x.reshape(len(x), -1, 2)
            self.largest = self.pairs.max(axis=2)
            return self.largest

        def backward(self, dout):
            at = (self.pairs == self.largest[:, :, None]) * 1.0
            if share:
                at /= at.sum(axis=2, keepdims=True)
            return (dout[:, :, None] * at).reshape(len(dout), -1)

    x = np.array([[1.0, 3.0, 0.0, 0.0], [2.0, 2.0, 5.0, 4.0]])
    report = check_gradients(Pool(), x, mode=mode)
    assert report.ok == share and verdicts_of(report) == {"x": "kink" if share else "ties"}


# --------------------------------------------------------------- what was taken for a hidden state


class Normalizing:
    """A network with batch normalization; only loss has a flag, and its default is not that of gradient."""

    def __init__(self, factor=1.0):
        self.params, self.factor = {"W": new(4, 3)}, factor
        self.mean, self.spread = np.zeros(3), np.ones(3)

    def loss(self, x, t, train_flg=False):
        z = x @ self.params["W"]
        if train_flg:
            self.mean, self.spread = z.mean(axis=0), np.sqrt(((z - z.mean(axis=0)) ** 2).mean(axis=0))
        self.y = (z - self.mean) / self.spread
        return (self.y**3).sum()

    def gradient(self, x, t):
        self.loss(x, t, train_flg=True)
        d = 3.0 * self.y**2
        dz = (d - d.mean(axis=0) - self.y * (d * self.y).mean(axis=0)) / self.spread
        return {"W": self.factor * x.T @ dz}


class Dropping:
    """A network with a dropout from np.random."""

    def __init__(self, factor=1.0):
        self.params, self.factor = {"W": new(4, 3)}, factor

    def loss(self, x, t, train_flg=False):
        self.kept = x * (np.random.rand(*x.shape) > 0.5) if train_flg else 0.5 * x
        self.out = self.kept @ self.params["W"]
        return (self.out**2).sum()

    def gradient(self, x, t):
        self.loss(x, t, train_flg=True)
        return {"W": 2.0 * self.factor * self.kept.T @ self.out}


@MODES
@pytest.mark.parametrize("kind", [Normalizing, Dropping])
def test_a_loss_is_taken_in_training_where_gradient_always_is(kind, mode):
    check_gradients(kind(), X, None, mode=mode).assert_ok()
    report = check_gradients(kind(1.01), X, None, mode=mode)
    assert verdicts_of(report) == {"W": "constant factor"} and not report.faults


# ------------------------------------------------------------------------------------- what is loaded


def test_a_right_layer_of_somebody_loads_no_diagnoses():
    code = """
import sys
import numpy as np
from backprop import check_gradients
class Dense:
    def __init__(self): self.weights, self.bias = np.ones((4, 3)), np.zeros((1, 3))
    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias
    def backward(self, dout):
        self.grad_weights, self.grad_bias = self.x.T @ dout, dout.sum(axis=0, keepdims=True)
        return dout @ self.weights.T
assert check_gradients(Dense(), np.arange(8.0).reshape(2, 4))
print(*(name for name in sys.modules if name.startswith("backprop.gradient_check.")))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[2] for name in run.stdout.split()}
    assert "fast" in loaded
    assert not loaded & {
        "explaining",
        "closer",
        "kinks",
        "verdicts",
        "diagnoses",
        "causes",
        "culprit",
        "stand_in",
    }


def test_the_heart_of_the_check_is_one_short_file():
    """The check is forty lines and their explanation."""
    assert len(getsource(import_module("backprop.gradient_check.fast")).splitlines()) <= 60
