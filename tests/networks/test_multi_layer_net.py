"""MultiLayerNet: the book's options, and weight decay on which loss, gradients and training agree."""

import copy
import pickle

import numpy as np
import pytest

from backends import to_numpy
from backprop import check_gradients, train
from backprop.layers import GELU, Affine, BatchNorm, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
from backprop.networks import MultiLayerNet
from backprop.optimizers import SGD

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(6, 8)), [0, 1, 2, 0, 1, 2]


def small(**options):
    return MultiLayerNet(8, [5, 4], 3, **{"rng": 0, "dtype": "float64", **options})


@pytest.mark.parametrize(
    ("name", "layer"),
    [("relu", ReLU), ("sigmoid", Sigmoid), ("tanh", Tanh), ("leaky_relu", LeakyReLU), ("gelu", GELU)],
)
def test_the_order_of_the_book(name, layer):
    everything = small(activation=name, use_batchnorm=True, use_dropout=True, dropout_ratio=0.2)
    block = [Affine, BatchNorm, layer, Dropout]
    assert [type(each) for each in everything] == [*block, *block, Affine]
    assert [type(each) for each in small(activation=name)] == [Affine, layer, Affine, layer, Affine]
    assert list(small().params) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert len(MultiLayerNet(4, [], 2)) == 1


@pytest.mark.parametrize(("rule", "variance"), [("relu", 2.0), ("sigmoid", 1.0)])
def test_initial_weights(backend, rule, variance):
    net, rng = small(weight_init_std=rule), np.random.default_rng(0)
    for name, n in (("W1", 8), ("W2", 5), ("W3", 4)):
        expected = (variance / n) ** 0.5 * rng.standard_normal(net.params[name].shape)
        np.testing.assert_allclose(to_numpy(net.params[name]), expected, rtol=1e-14)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_loss_and_gradients_agree(backend, decay):
    drop = backend.name == "numpy"  # array_api_strict takes seconds for the masks
    options = {"activation": "tanh", "use_dropout": drop, "dropout_ratio": 0.3}
    net = small(weight_decay_lambda=decay, **options)
    plain = small(**options)
    penalty = 0.5 * decay * sum((to_numpy(net.params[name]) ** 2).sum() for name in ("W1", "W2", "W3"))
    for training in (False, True):
        expected = float(plain.loss(X, T, training=training)) + penalty
        assert float(net.loss(X, T, training=training)) == pytest.approx(expected, rel=1e-14)
    check_gradients(net, X, T).assert_ok()


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_copies_keep_the_decay(backend, decay):
    net = small(weight_decay_lambda=decay, activation="sigmoid", use_batchnorm=True)
    numerical = net.numerical_gradient(X, T, method="complex")
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.to(net.backend), net):
        assert twin.weight_decay_lambda == decay
        for name, values in twin.gradient(X, T, input_gradient=True).items():
            if name != "x":
                np.testing.assert_allclose(to_numpy(values), to_numpy(numerical[name]), rtol=0, atol=1e-13)


def test_without_decay_nothing_is_overridden():
    assert not small().overrides("loss", "gradient", "predict", "accuracy")
    assert small(weight_decay_lambda=0.1).overrides("loss") and not small(weight_decay_lambda=0.1).overrides(
        "predict"
    )

    class Mine(MultiLayerNet):
        def gradient(self, x, t, **options):
            return super().gradient(x, t, **options)

    net = Mine(8, [5], 3)
    assert net.overrides("gradient") and not net.overrides("loss")
    net.loss = lambda x, t: 0.0
    assert net.overrides("loss")


def test_training_with_decay_records_the_penalty_and_makes_the_steps_of_its_gradient(backend):
    nets = [small(weight_decay_lambda=decay) for decay in (0.3, 0.0)]
    first = float(nets[0].loss(X, T))
    x, t = np.repeat(X[:1], 6, axis=0), T[:1] * 6  # every batch is the same
    histories = [train(net, x, t, iterations=1, batch_size=6, optimizer=SGD(0.1)) for net in nets]
    start = small()
    penalty = 0.15 * sum(float((to_numpy(start.params[name]) ** 2).sum()) for name in ("W1", "W2", "W3"))
    assert first > penalty and histories[0].loss[0] == pytest.approx(histories[1].loss[0] + penalty, rel=1e-6)
    for name, before in start.params.items():
        moved, plain = (to_numpy(net.params[name]) for net in nets)
        decayed = 0.1 * 0.3 * to_numpy(before) if name.startswith("W") else 0.0
        np.testing.assert_allclose(moved, plain - decayed, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"input_size": 0}, ValueError, "input_size must be at least 1, got 0"),
        ({"hidden_size_list": 50}, TypeError, "hidden_size_list must be a list of integers, got 50"),
        ({"hidden_size_list": [5, 2.5]}, TypeError, r"hidden_size_list\[1\] must be an integer, got 2.5"),
        ({"output_size": "3"}, TypeError, "output_size must be an integer, got '3'"),
        ({"activation": "rleu"}, ValueError, "activation must be one of .*, got 'rleu'; did you mean relu"),
        ({"activation": "Tanh"}, ValueError, "activation must be one of .*, got 'Tanh'; did you mean tanh"),
        ({"activation": ReLU}, ValueError, "activation must be one of relu, .*, got <class"),
        ({"weight_init_std": "xavir"}, ValueError, "weight_init_std must be .*; did you mean xavier"),
        (
            {"weight_decay_lambda": -1},
            ValueError,
            "weight_decay_lambda must be a finite number of at least 0",
        ),
        ({"use_dropout": 1}, TypeError, "use_dropout must be True or False, got 1"),
        ({"dropout_ratio": 1}, ValueError, "dropout_ratio must be a finite number .* and below 1, got 1"),
        ({"use_batchnorm": "yes"}, TypeError, "use_batchnorm must be True or False, got 'yes'"),
    ],
)
def test_wrong_settings(options, error, words):
    with pytest.raises(error, match=rf"^MultiLayerNet: {words}"):
        MultiLayerNet(**{"input_size": 8, "hidden_size_list": [5], "output_size": 3, **options})
