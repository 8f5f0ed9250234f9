"""A chain of any layers: names, and a first layer of any kind."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import check_gradients
from backprop.layers import Affine, ReLU, Sigmoid, SoftmaxCrossEntropy
from backprop.layers.layer import Layer
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


def affine_net():
    return Network({"A": Affine.create(3, 2, rng=0)}, SoftmaxCrossEntropy(), input_size=3, output_size=2)


def test_layers_and_owners_cannot_be_replaced():
    net = affine_net()
    with pytest.raises(TypeError, match="does not support item assignment"):
        net.layers["A"] = Affine.create(3, 2)
    for name in ("layers", "params", "grads"):
        with pytest.raises(AttributeError, match=name):
            setattr(net, name, {})


def test_a_layer_belongs_to_one_network():
    net = affine_net()
    with pytest.raises(ValueError, match=r"Affine\(3, 2\) belongs to a network already"):
        Network({"A": net.layers["A"]}, SoftmaxCrossEntropy(), input_size=3, output_size=2)


def test_gradients_read_from_a_layer_or_the_network_are_never_written_again(backend):
    net = affine_net()
    net.gradient(X, T)
    kept = [net.layers["A"].grads["W"], net.grads["W1"], *net.grads.values()]
    before = [to_numpy(array).copy() for array in kept]
    layer = net.layers["A"]
    layer.forward(net.backend.asarray(X, "float32"))
    layer.backward(net.backend.asarray(np.ones((4, 2)), "float32"))
    for array, values in zip(kept, before, strict=True):
        np.testing.assert_array_equal(to_numpy(array), values)


def test_complex_samples_are_for_the_loss_alone(backend):
    net = affine_net()
    assert "complex" in str(net.loss(X + 0j, T).dtype)
    for method in ("gradient", "numerical_gradient"):
        with pytest.raises(TypeError, match=rf"Network\.{method}: x must be real, got .*complex128"):
            getattr(net, method)(X + 0j, T)


def test_a_layer_of_ones_own_does_not_write_what_was_handed_out(backend):
    class Scale(Layer):
        def forward(self, x, training=True):
            self._keep(training, x)
            return x * self.params["w"]

        def backward(self, dout):
            (x,) = self._recall()
            self._consume()
            self.grads["w"] = net.backend.sum_to(dout * x, (3,))
            return dout * self.params["w"]

    layers = {"S": Scale(w=asarray(np.ones(3))), "A": Affine.create(3, 2, rng=0, dtype="float64")}
    net = Network(layers, SoftmaxCrossEntropy(), input_size=3, output_size=2)
    check_gradients(net, X, T, mode="full").assert_ok()
    kept = net.gradient(X, T)
    before = {name: to_numpy(values).copy() for name, values in kept.items()}
    layers["S"].forward(asarray(X))
    layers["S"].backward(asarray(7.0 * X))
    for name, values in kept.items():
        np.testing.assert_array_equal(to_numpy(values), before[name])
    np.testing.assert_allclose(to_numpy(net.grads["w1"]), (7.0 * X * X).sum(axis=0))


def test_parameters_of_two_dtypes_are_refused(backend):
    layers = {"A": Affine.create(3, 2, dtype="float32"), "B": Affine.create(2, 2, dtype="float64")}
    with pytest.raises(TypeError, match="must have one dtype, but W1 is .*float32, W2 .*float64"):
        Network(layers, SoftmaxCrossEntropy(), input_size=3, output_size=2)
