"""The learning-rate range test: what it finds, and that it leaves everything as it was."""

import copy

import numpy as np
import pytest

from backends import to_numpy
from backprop import TwoLayerNet, load_mnist_sample, train
from backprop.arrays.dtypes import NORMAL
from backprop.layers import Affine, BatchNorm, ReLU
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD, Momentum
from backprop.training import Diverged, LearningRateRange, learning_rate_range
from backprop.training.rate_range import found

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(50, 8)), RNG.integers(0, 3, 50)


def with_state():
    return Network([Affine(5), BatchNorm(), ReLU(), Affine(3)], SoftmaxCrossEntropy(), 8, rng=0)


@pytest.mark.parametrize("optimizer", [None, SGD(0.1), Momentum(0.1)])
def test_it_changes_nothing(backend, optimizer):
    net, rng = with_state(), np.random.default_rng(4)
    if optimizer is not None:
        optimizer = copy.deepcopy(optimizer)
        optimizer.update(net.params, net.gradient(X, T))

    def everything():
        state = () if optimizer is None or optimizer.state is None else (optimizer.state.flat,)
        arrays = (net.params.flat, *net.state.values(), *state)
        rate = optimizer and optimizer.learning_rate
        return [to_numpy(array).tobytes() for array in arrays], rate, repr(rng.bit_generator.state)

    before = everything()
    first, second = (
        learning_rate_range(net, X, T, optimizer=optimizer, iterations=30, batch_size=10, rng=rng)
        for _ in range(2)
    )
    assert everything() == before and first == second


def test_the_rate_rises_by_one_factor():
    result = learning_rate_range(with_state(), X, T, lowest=1e-4, highest=1e-2, iterations=21, rng=0)
    assert len(result.learning_rate) == len(result.loss) == len(result.smoothed) == 21
    ratios = [b / a for a, b in zip(result.learning_rate, result.learning_rate[1:], strict=False)]
    assert ratios == pytest.approx([10**0.1] * 20)
    assert (result.learning_rate[0], result.learning_rate[-1]) == pytest.approx((1e-4, 1e-2))


def test_the_suggestion_is_half_the_rate_of_the_lowest_loss_before_it_explodes():
    losses = [2.0] * 20 + [1.0] + [0.5] * 9 + [0.4] * 3 + [0.5] * 5 + [9.0] * 10 + [0.1] * 10
    rates = [1.1**i for i in range(len(losses))]
    result = found(rates, losses, 40)
    assert result.suggestion == pytest.approx(0.5 * 1.1**31)
    assert 37 <= len(result.loss) < 48 and result.loss == losses[: len(result.loss)]
    assert found(rates, [*losses[:33], float("nan"), *losses[34:]], 40).loss == losses[:33]


def test_a_rate_that_is_suggested_trains():
    (x, t), _ = load_mnist_sample()
    for optimizer in (SGD(), Momentum()):
        net = TwoLayerNet(rng=0)
        result = learning_rate_range(net, x, t, optimizer=optimizer, iterations=150, rng=0)
        optimizer.learning_rate = result.suggestion
        history = train(net, x, t, epochs=3, optimizer=optimizer, rng=0)
        assert history.train_accuracy[-1] > 0.8
    assert repr(result).startswith("<LearningRateRange of ") and isinstance(result, LearningRateRange)


def test_a_regression():
    net = Network([Affine(1, weight_init_std=0.1)], MeanSquaredError(), 8, 1, rng=0)
    result = learning_rate_range(net, X, X[:, :1], iterations=100, batch_size=20, highest=1e4, rng=0)
    assert result.learning_rate[-1] < 1e4 and 1e-3 < result.suggestion < 1.0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"highest": 1e-6}, ValueError, "highest must be above lowest, 1e-05, got 1e-06"),
        ({"iterations": 9}, ValueError, "iterations must be at least 10, got 9"),
        ({"optimizer": "adam"}, TypeError, "optimizer must be an Optimizer"),
    ],
)
def test_wrong_settings(options, error, words):
    with pytest.raises(error, match=f"^learning_rate_range: {words}"):
        learning_rate_range(with_state(), X, T, **options)


def test_the_largest_rates_that_there_are():
    """Nothing overflows on the way to the rates. One that explodes at once is drawn as a point."""
    options = {"iterations": 10, "batch_size": 5, "rng": 0}
    result = learning_rate_range(
        with_state(), X, T, lowest=1e-30, highest=NORMAL["float32"].largest, **options
    )
    assert result.learning_rate[0] == 1e-30 and len(result.loss) < 10
    net = TwoLayerNet(8, 5, 3, weight_init_std=0.5, rng=0, dtype="float64")
    result = learning_rate_range(net, X, T, lowest=1e300, highest=1.7e308, **options)
    assert repr(result) == "<LearningRateRange of 1 rate, 1e+300: suggestion 5e+299>"


def test_a_first_loss_that_is_no_number():
    net = Network([Affine(1, weight_init_std=1e30)], MeanSquaredError(), 8, 1, rng=0)
    with pytest.raises(Diverged, match="the loss of iteration 1 is (inf|nan); no update"):
        learning_rate_range(net, 1e20 * X, X[:, :1], rng=0)
