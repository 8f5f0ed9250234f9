"""BatchNorm: what it normalizes, its running statistics, what it refuses."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import train
from backprop.layers import Affine, BatchNorm, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD

RNG = np.random.default_rng(0)
GAMMA, BETA = RNG.normal(size=(2, 3))


def layer_of(dtype="float64", **options):
    return BatchNorm(asarray(GAMMA, dtype), asarray(BETA, dtype), **options)


def reference(x, mean, variance, eps=1e-5):
    shape = (3, *[1] * (x.ndim - 2))
    gamma, beta, mean, variance = (values.reshape(shape) for values in (GAMMA, BETA, mean, variance))
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 2, 5)])
def test_training_takes_the_statistics_of_the_batch_and_evaluation_the_running_ones(backend, shape):
    layer, x = layer_of(), 5.0 + 2.0 * RNG.normal(size=shape)
    axes = (0, *range(2, x.ndim))
    mean, variance = x.mean(axis=axes), x.var(axis=axes)
    np.testing.assert_allclose(to_numpy(layer.forward(asarray(x))), reference(x, mean, variance), rtol=1e-12)
    running = 0.1 * mean, 0.9 + 0.1 * variance
    for name, expected in zip(("running_mean", "running_var"), running, strict=True):
        np.testing.assert_allclose(to_numpy(layer.state[name]), expected, rtol=1e-14)
    out = layer.forward(asarray(x), training=False)
    np.testing.assert_allclose(to_numpy(out), reference(x, *running), rtol=1e-12)
    np.testing.assert_allclose(to_numpy(layer.state["running_mean"]), running[0], rtol=1e-14)  # it stays


def test_settings(backend):
    layer, x = layer_of(momentum=0.0, eps=0.5), RNG.normal(size=(5, 3))
    out = to_numpy(layer.forward(asarray(x)))
    np.testing.assert_allclose(out, reference(x, x.mean(axis=0), x.var(axis=0), eps=0.5), rtol=1e-12)
    np.testing.assert_allclose(to_numpy(layer.state["running_mean"]), x.mean(axis=0), rtol=1e-14)


def test_the_unbuilt_form(backend):
    layer = BatchNorm()
    assert repr(layer) == "BatchNorm()"
    layer.build((3, 4, 4), dtype="float32")
    assert {name: array.shape for name, array in {**layer.params, **layer.state}.items()} == {
        "gamma": (3,),
        "beta": (3,),
        "running_mean": (3,),
        "running_var": (3,),
    }
    assert repr(layer) == "BatchNorm(3)"


def test_wrong_arguments_are_refused(backend):
    with pytest.raises(ValueError, match=r"gamma and beta must have shape \(C,\), got \(3,\) and \(2,\)"):
        BatchNorm(asarray(GAMMA), asarray(BETA[:2]))
    with pytest.raises(ValueError, match="momentum must be a finite number of at least 0 and below 1, got 1"):
        BatchNorm(momentum=1)
    with pytest.raises(ValueError, match="eps must be a finite number of at least 1.18e-38, got 1e-38"):
        BatchNorm(eps=1e-38)
    for shape in ((3,), (2, 4), ()):
        with pytest.raises(
            ValueError, match=r"BatchNorm.forward: x must have shape \(N, 3, …\) with N at least 1"
        ):
            layer_of().forward(asarray(np.ones(shape)))


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_one_value_per_feature_is_refused_in_training_only(backend, shape):
    layer, x = layer_of(), asarray(RNG.normal(size=shape))
    layer.forward(asarray(RNG.normal(size=(4, *shape[1:]))))
    before = {name: to_numpy(array).copy() for name, array in layer.state.items()}
    with pytest.raises(ValueError, match=r"^BatchNorm.forward: training needs at least two values per feat"):
        layer.forward(x)
    for name, values in before.items():
        np.testing.assert_array_equal(to_numpy(layer.state[name]), values)
    assert layer.forward(x, training=False).shape == shape
    two = asarray(RNG.normal(size=(1, 3, 1, 2)))
    assert layer.forward(two).shape == two.shape


@pytest.mark.parametrize("own_passes", [False, True])
def test_so_it_is_wherever_a_network_trains_and_nothing_has_changed(backend, own_passes):
    class Own(ReLU):
        def forward(self, x, training=True):
            return super().forward(x, training)

    layers = [Affine(5), BatchNorm(), Own() if own_passes else ReLU(), Affine(3)]
    net, x, t = Network(layers, SoftmaxCrossEntropy(), 4, rng=0), RNG.normal(size=(6, 4)), [0, 1, 2, 0, 1, 2]
    net.gradient(x, t)
    before = [to_numpy(array).copy() for array in (*net.params.values(), *net.state.values())]
    optimizer, rng, words = SGD(0.1), np.random.default_rng(0), "^BatchNorm.forward: training needs at least"
    called = []
    for call in (
        lambda: net.gradient(x[:1], t[:1]),
        lambda: net.loss(x[:1], t[:1], training=True),
        lambda: net.numerical_gradient(x[:1], t[:1]),
        lambda: train(net, x, t, batch_size=1, optimizer=optimizer, rng=rng, callback=called.append),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    after = [to_numpy(array) for array in (*net.params.values(), *net.state.values())]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(other, one)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
    if not own_passes:  # whose forward the trainer does not run in advance
        assert optimizer.state is None and not called
    assert net.predict(x[:1]).shape == (1, 3) and float(net.loss(x[:1], t[:1])) > 0
    train(net, x, t, batch_size=2, iterations=2, rng=0)


def test_a_follower_with_a_rule_of_its_own_is_asked_and_not_fused(backend):
    class Picky(ReLU):
        def check_training(self, x):
            if x.shape[0] < 3:
                raise ValueError(f"Picky: got {tuple(x.shape)}")

    net = Network([Affine(5), Picky(), Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)
    x, t = RNG.normal(size=(3, 4)), [0, 1, 2]
    with pytest.raises(ValueError, match=r"Picky: got \(2, 5\)"):
        net.gradient(x[:2], t[:2])
    with pytest.raises(ValueError, match=r"Picky: got \(2, 5\)"):
        train(net, x, t, batch_size=2, iterations=1)
    plain = Network([Affine(5), ReLU(), Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)
    for name, expected in plain.gradient(x, t).items():
        np.testing.assert_allclose(to_numpy(net.gradient(x, t)[name]), to_numpy(expected), rtol=1e-5)
