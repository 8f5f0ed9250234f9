"""Values that an object keeps from its first run are found by a second run on other values."""

import warnings

import numpy as np
import pytest

from backprop import TwoLayerNet, check_gradients
from backprop.gradient_check.reach import reach
from backprop.layers import SoftmaxCrossEntropy
from backprop.networks.network import Network

X = np.random.default_rng(1).normal(size=(6, 4))
MODES = pytest.mark.parametrize("mode", ["fast", "full"])


class Right:
    """A linear map with a rectifier, which sets everything in each forward."""

    def __init__(self):
        self.W = np.random.default_rng(0).normal(size=(4, 3))
        self.x = self.mask = self.transposed = None

    def forward(self, x):
        self.x = x
        out = x @ self.W
        self.mask = out > 0
        self.transposed = self.W.T
        return out * self.mask

    def backward(self, dout):
        dout = dout * self.mask
        self.dW = self.x.T @ dout
        return dout @ self.transposed


class FirstInput(Right):
    def forward(self, x):
        kept, out = self.x, super().forward(x)
        self.x = x if kept is None else kept
        return out


class FirstMask(Right):
    def forward(self, x):
        kept, out = self.mask, super().forward(x)
        self.mask = self.mask if kept is None else kept
        return out


class FirstTranspose(Right):
    def forward(self, x):
        kept, out = self.transposed, super().forward(x)
        self.transposed = self.W.T.copy() if kept is None else kept
        return out


class FirstGradient(Right):
    dW = None

    def backward(self, dout):
        kept, dx = self.dW, super().backward(dout)
        self.dW = self.dW if kept is None else kept
        return dx


class Adding(Right):
    """A gradient that accumulates has its own verdict and is not stale."""

    def backward(self, dout):
        kept, dx = getattr(self, "dW", 0.0), super().backward(dout)
        self.dW = self.dW + kept
        return dx


@MODES
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [FirstInput, FirstMask, FirstTranspose, FirstGradient])
def test_what_is_kept_of_a_first_run_is_a_fault(kind, seed, mode):
    report = check_gradients(kind(), X, mode=mode, rng=seed)
    assert not report and [fault.kind for fault in report.faults] == ["stale values"]


@MODES
def test_what_is_set_anew_or_adds_up_is_none(mode):
    check_gradients(Right(), X, mode=mode).assert_ok()
    report = check_gradients(Adding(), X, mode=mode)
    assert not report.faults and [array.verdict for array in report.arrays] == ["accumulated", "ok"]


def test_a_network_that_keeps_a_transpose_is_at_fault():
    class Net:
        def __init__(self):
            self.params = {"W": np.random.default_rng(0).normal(size=(4, 3))}
            self.V, self.kept = np.random.default_rng(2).normal(size=(3, 3)), None

        def loss(self, x, t):
            self.x, self.h = x, np.tanh(x @ self.params["W"])
            return 0.5 * ((self.h - t) ** 2).sum()

        def gradient(self, x, t):
            self.loss(x, t)
            self.kept = self.h - t if self.kept is None else self.kept
            return {"W": x.T @ (self.kept * (1.0 - self.h**2))}

    report = check_gradients(Net(), X, np.zeros((6, 3)))
    assert [fault.kind for fault in report.faults] == ["stale values"]


def test_layers_of_the_library_are_no_strangers():
    net = TwoLayerNet(4, 3, 2, rng=0)
    net.loss(X, [0] * 6)
    assert not reach(net).has_foreign_objects
    net = Network({"own": Right()}, SoftmaxCrossEntropy(), 4, 3, dtype="float64")
    assert reach(net).has_foreign_objects


def test_other_values_warn_of_nothing():
    class Root:
        """A layer that fails on weights in another order."""

        def __init__(self):
            self.w = np.array([5.0, -1.0])

        def forward(self, x):
            self.x, self.root = x, np.sqrt(x @ self.w)
            return self.root

        def backward(self, dout):
            dout = 0.5 * dout / self.root
            self.dw = dout @ self.x
            return dout[:, None] * self.w

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        check_gradients(Root(), np.array([[1.0, 0.1], [2.0, 0.3]])).assert_ok()
    assert not said
