"""Validation and test losses: what is held out, what is measured, and of which network."""

import numpy as np
import pytest

from backends import to_numpy
from backprop import TwoLayerNet, train
from backprop.layers import Affine, BatchNorm, ReLU
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks import Network

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(50, 8)), RNG.integers(0, 3, 50)


def net_of(**options):
    return TwoLayerNet(8, 5, 3, **{"weight_init_std": 0.5, "rng": 0, **options})


def test_a_share_is_held_out_at_random_and_not_trained_on(backend):
    rng, expected = np.random.default_rng(5), np.random.default_rng(5)
    order = expected.permutation(50)
    held, kept = np.sort(order[:10]), np.sort(order[10:])
    net, by_hand = net_of(dtype="float64"), net_of(dtype="float64")
    history = train(net, X, T, iterations=9, batch_size=10, validation=0.2, rng=rng)
    same = train(
        by_hand, X[kept], T[kept], iterations=9, batch_size=10, validation=(X[held], T[held]), rng=expected
    )
    assert history.iterations == [0, 4, 8, 9], "an epoch has 40 samples"
    assert history.loss == same.loss and history.train_accuracy == same.train_accuracy
    assert history.validation_loss == same.validation_loss
    assert history.validation_accuracy == same.validation_accuracy
    np.testing.assert_array_equal(to_numpy(net.params.flat), to_numpy(by_hand.params.flat))
    assert rng.bit_generator.state == expected.bit_generator.state


def test_what_is_measured_is_what_the_network_says(backend):
    layers = [Affine(5, weight_init_std=1.0), BatchNorm(), ReLU(), Affine(3, weight_init_std=1.0)]
    net = Network(layers, SoftmaxCrossEntropy(), 8, 3, rng=0, dtype="float64")
    history = train(net, X, T, X[:9], T[:9], iterations=9, batch_size=10, validation=[X[:20], T[:20]], rng=0)
    assert history.test_loss[-1] == pytest.approx(float(net.loss(X[:9], T[:9])), rel=1e-12)
    assert history.validation_loss[-1] == pytest.approx(float(net.loss(X[:20], T[:20])), rel=1e-12)
    assert history.validation_accuracy[-1] == net.accuracy(X[:20], T[:20])
    assert len(history.test_loss) == len(history.validation_loss) == len(history.iterations) == 3


def test_without_these_sets_nothing_is_measured():
    history = train(net_of(), X, T, iterations=9, batch_size=10, rng=0)
    assert history.test_loss == history.validation_loss == history.validation_accuracy == []


def test_a_regression_has_losses_alone(backend):
    net = Network([Affine(4), Affine(1)], MeanSquaredError(), 8, 1, rng=0, dtype="float64")
    y = X[:, :1] * 2.0
    history = train(net, X, y, X, y, iterations=10, batch_size=10, validation=0.1, rng=0)
    assert history.test_loss[-1] == pytest.approx(float(net.loss(X, y)), rel=1e-12)
    assert history.iterations == [0, 4, 8, 10] and len(history.validation_loss) == 4
    assert history.train_accuracy == history.validation_accuracy == history.test_accuracy == []


def test_the_evaluation_of_a_set_in_pieces(backend, monkeypatch):
    monkeypatch.setattr(type(backend), "samples_at_once", 7)
    net = net_of(dtype="float64")
    x, t = net.prepare("test", X, T)
    loss, accuracy = net.measured(x, t)
    monkeypatch.undo()
    assert loss == pytest.approx(float(net.loss(X, T)), rel=1e-12) and accuracy == net.accuracy(X, T)


class BookLoss:
    """A loss of one's own, with its own passes: the mean of a batch."""

    def forward(self, x, t):
        self.x, self.t = x, t
        return ((x - t) ** 2).sum() / len(x)

    def backward(self, dout=1):
        return 2 * (self.x - self.t) / len(self.x)


def test_a_loss_with_its_own_passes_is_averaged_over_pieces(monkeypatch):
    net = Network([Affine(3)], BookLoss(), 8, 3, rng=0, dtype="float64", backend="numpy")
    monkeypatch.setattr(type(net.backend), "samples_at_once", 7)
    loss, accuracy = net.measured(*net.prepare("test", X, X[:, :3]))
    expected = ((net.predict(X) - X[:, :3]) ** 2).sum() / 50
    assert loss == pytest.approx(expected, rel=1e-12) and accuracy is None


class OwnMethods(TwoLayerNet):
    called = ()

    def loss(self, x, t):
        self.called += ("loss",)
        return super().loss(x, t) + 1.0

    def predict(self, x):
        self.called += ("predict",)
        return -super().predict(x)


class OwnAccuracy(TwoLayerNet):
    def accuracy(self, x, t):
        return super().accuracy(x, t) / 2


def test_what_is_overridden_is_what_measures(backend):
    own, plain = (
        kind(8, 5, 3, weight_init_std=0.5, rng=0, dtype="float64") for kind in (OwnMethods, TwoLayerNet)
    )
    x, t = plain.prepare("test", X, T)
    expected = np.mean(to_numpy(plain.predict(X)).argmin(axis=1) == T)
    assert own.measured(x, t) == (pytest.approx(float(plain.loss(X, T)) + 1.0), pytest.approx(expected))
    assert {*own.called} == {"loss", "predict"}
    halved = OwnAccuracy(8, 5, 3, weight_init_std=0.5, rng=0, dtype="float64")
    assert halved.measured(x, t) == (pytest.approx(float(plain.loss(X, T))), plain.accuracy(X, T) / 2)
