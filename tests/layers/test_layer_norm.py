"""LayerNorm: what it normalizes, its two forms, what it refuses."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.layers import LayerNorm

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(7, 5), (4, 3, 2, 5), (1, 6), (0, 5)])
def test_every_sample_is_normalized_by_itself(backend, shape, dtype):
    gamma, beta = RNG.normal(size=(2, *shape[1:])).astype(dtype)
    layer, x = LayerNorm(asarray(gamma), asarray(beta), eps=0.5), 5.0 + 2.0 * RNG.normal(size=shape)
    axes, x = tuple(range(1, x.ndim)), x.astype(dtype)
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    expected = gamma * (x - mean) / np.sqrt(variance + 0.5) + beta
    for training in (True, False):
        out = to_numpy(layer.forward(asarray(x), training=training))
        np.testing.assert_allclose(out, expected, rtol=1e-12 if dtype == "float64" else 1e-4, atol=1e-5)


def test_other_samples_do_not_matter(backend):
    layer = LayerNorm()
    layer.build((5,), dtype="float64")
    x = asarray(RNG.normal(size=(6, 5)))
    np.testing.assert_array_equal(to_numpy(layer.forward(x))[2:3], to_numpy(layer.forward(x[2:3, :])))
    assert layer.state == {}


def test_the_unbuilt_form(backend):
    layer = LayerNorm()
    assert repr(layer) == "LayerNorm()"
    layer.build((3, 4, 5), dtype="float32")
    assert {name: array.shape for name, array in layer.params.items()} == {
        "gamma": (3, 4, 5),
        "beta": (3, 4, 5),
    }
    assert repr(layer) == "LayerNorm(3, 4, 5)" and layer.multiply_adds((3, 4, 5)) == 0


def test_wrong_arguments_are_refused(backend):
    ones = asarray(np.ones((3, 4)))
    rule = r"LayerNorm: gamma and beta must have the shape of one sample, \(…\), got \(3, 4\) and \(4,\)"
    with pytest.raises(ValueError, match=rule):
        LayerNorm(ones, asarray(np.ones(4)))
    with pytest.raises(ValueError, match="eps must be a finite number of at least 1.18e-38, got 1e-38"):
        LayerNorm(eps=1e-38)
    for shape in ((4, 3), (3, 4), (3,), ()):
        with pytest.raises(ValueError, match=r"LayerNorm.forward: x must have shape \(N, 3, 4\), got"):
            LayerNorm(ones, ones).forward(asarray(np.ones(shape)))
