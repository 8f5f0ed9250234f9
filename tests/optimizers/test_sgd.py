"""Stochastic gradient descent: the rule, on owners and on plain dicts, and what it refuses."""

import numpy as np
import pytest

from backends import asarray, to_numpy, use_backend
from backends.testing import backend_or_skip
from backprop import TwoLayerNet
from backprop.arrays.arrays import Arrays
from backprop.optimizers import SGD


@pytest.mark.parametrize("flat", [True, False])
def test_a_network_through_flat_gradients_and_through_a_dict(backend, flat):
    net = TwoLayerNet(4, 3, 2, rng=0)
    before, gradient = to_numpy(net.params.flat).copy(), net.gradient(np.ones((2, 4)), [0, 1])
    SGD(0.5).update(net.params, Arrays.gather(gradient) if flat else gradient)
    expected = np.concatenate([to_numpy(array).reshape(-1) for array in gradient.values()])
    np.testing.assert_allclose(to_numpy(net.params.flat), before - 0.5 * expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("grads", "words"),
    [
        ({"a": [1.0, 1.0]}, r"the gradient of b must have shape \(3,\), got none"),
        ({"a": [1.0, 1.0], "b": [1.0]}, r"the gradient of b must have shape \(3,\), got \(1,\)"),
    ],
)
def test_a_refused_update_moves_nothing(backend, grads, words):
    params = {"a": asarray([1.0, 2.0]), "b": asarray([1.0, 2.0, 3.0])}
    with pytest.raises(ValueError, match=words):
        SGD(0.1).update(params, {name: asarray(values) for name, values in grads.items()})
    np.testing.assert_array_equal(to_numpy(params["a"]), [1, 2])


@pytest.mark.parametrize("learning_rate", [0, -1, float("inf"), "fast"])
def test_wrong_learning_rates(learning_rate):
    with pytest.raises((ValueError, TypeError), match="SGD: learning_rate must be"):
        SGD(learning_rate)


def test_a_mixture_is_refused():
    with use_backend(backend_or_skip("array_api_strict")):
        foreign = asarray([1.0, 2.0])
    with pytest.raises(TypeError, match="is numpy.ndarray and the gradient of a is array_api_strict"):
        SGD(0.1).update({"a": np.ones(2)}, {"a": foreign})
