"""Flatten: shapes, the order of the values, and its place in a network."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.layers import Affine, Flatten, LayerNorm
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize("shape", [(24,), (2, 12), (2, 3, 4), (2, 3, 2, 2), (0, 3, 4), (1, 1, 1)])
def test_rows_in_the_order_of_the_values(backend, shape):
    x, layer = np.resize(X, shape), Flatten()
    out = layer.forward(asarray(x))
    rows = x.reshape(shape[0], int(np.prod(shape[1:])))
    np.testing.assert_array_equal(to_numpy(out), rows)
    assert layer.backward(out).shape == shape


def test_memory_in_another_order(backend):
    out = Flatten().forward(asarray(X.T.copy()).T if backend.name == "numpy" else asarray(X))
    np.testing.assert_array_equal(to_numpy(out), X.reshape(2, 12))


def test_in_a_network_it_hands_rows_to_the_next_layer(backend):
    net = Network([Flatten(), LayerNorm(), Affine(3)], SoftmaxCrossEntropy(), (3, 4), 3, rng=0)
    assert net.params["gamma1"].shape == (12,)
    assert net.gradient(X, [0, 1], input_gradient=True)["x"].shape == X.shape
