"""BatchNorm: what it normalizes, its running statistics, what it refuses."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.layers import BatchNorm

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
    with pytest.raises(ValueError, match="eps must be a finite number above 0, got 0"):
        BatchNorm(eps=0)
    for shape in ((3,), (2, 4), ()):
        with pytest.raises(
            ValueError, match=r"BatchNorm.forward: x must have shape \(N, 3, …\) with N at least 1"
        ):
            layer_of().forward(asarray(np.ones(shape)))
