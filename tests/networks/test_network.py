"""A chain of any layers: names, and a first layer of any kind."""

import numpy as np

from backends import to_numpy
from backprop import check_gradients
from backprop.layers import Affine, ReLU, Sigmoid, SoftmaxCrossEntropy
from backprop.networks import Network

X, T = np.random.default_rng(0).normal(size=(4, 3)), [0, 1, 1, 0]


def test_three_affine_layers_behind_an_activation(backend):
    def affine(n_in, n_out):
        return Affine.create(n_in, n_out, weight_init_std=1.0, rng=n_in)

    layers = {"first": Sigmoid(), "A": affine(3, 6), "B": ReLU(), "C": affine(6, 5), "D": affine(5, 2)}
    net = Network(layers, SoftmaxCrossEntropy(), input_size=3, output_size=2)
    assert list(net.params) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    check_gradients(net, X, T, mode="full").assert_ok()
    without, withal = net.gradient(X, T), net.gradient(X, T, input_gradient=True)
    assert withal.keys() - without.keys() == {"x"}
    np.testing.assert_array_equal(to_numpy(without["W1"]), to_numpy(withal["W1"]))
