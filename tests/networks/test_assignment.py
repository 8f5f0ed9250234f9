"""Assigning to a network's arrays changes the network, under any of their names; the names are fixed."""

import copy
import pickle

import numpy as np
import pytest

from backprop import TwoLayerNet, check_gradients, train
from backprop.arrays.arrays import Arrays
from backprop.layers import Affine, BatchNorm, Layer
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network

X, T = np.random.default_rng(0).random((3, 4)), [0, 1, 2]


def network():
    return TwoLayerNet(4, 5, 3, rng=0, dtype="float64")


@pytest.mark.parametrize("made", [network, lambda: pickle.loads(pickle.dumps(network()))])
def test_a_flat_vector_is_copied_into_place(made):
    net, other = made(), TwoLayerNet(4, 5, 3, rng=1, dtype="float64")
    flat = net.params.flat
    net.params.flat = other.params.flat
    assert net.params.flat is flat and net.params == other.params
    assert np.array_equal(net.predict(X), other.predict(X))
    net.params.flat *= 2.0
    assert np.array_equal(net.params["W2"], 2.0 * other.params["W2"])
    before = flat.copy()
    with pytest.raises(ValueError, match="flat must have shape"):
        net.params.flat = before[:-1]
    assert np.array_equal(flat, before)


@pytest.mark.parametrize("made", [network, lambda: copy.deepcopy(network()), lambda: network().to("numpy")])
def test_the_parameters_of_a_layer_are_copied_into_place(made):
    net, W, b = made(), np.ones((4, 5)), np.arange(5.0)
    layer = net.layers["Affine1"]
    for given in ({"W": W, "b": b}, network().layers["Affine1"].params):
        layer.params = given
        assert np.array_equal(net.params["W1"], given["W"]) and np.array_equal(net.params["b1"], given["b"])
        net.params["W1"] = 3.0 * W
        assert (layer.params["W"] == 3.0).all()


@pytest.mark.parametrize("given", [{"W": np.zeros((4, 5))}, {"W": 0, "b": 0, "c": 0}, None, 3, {}])
def test_not_all_parameters_of_a_layer_are_refused(given):
    net = network()
    before = net.params.copy()
    with pytest.raises(ValueError, match="Affine.params: assign all of W, b by name, got"):
        net.layers["Affine1"].params = given
    assert net.params == before


def test_the_layers_of_a_network_that_is_gone_serve_another():
    first = Network([layer := Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)
    before = first.params.copy()
    del first
    second = Network([layer], SoftmaxCrossEntropy(), 4)
    assert second.params == before and layer.params["W"] is second.params["W1"]


class Named(Layer):
    """out = a x with a parameter, and a state, of a name that is given. It leaves out super().__init__()."""

    def __init__(self, name, state=""):
        self.name, self.of_state = name, state

    def initial(self, shape, rng):
        return {self.name: np.ones(shape)}, {self.of_state: np.ones(shape)} if self.of_state else {}

    def compute(self, xp, x, *arrays):
        return x * arrays[0], (x, arrays[0]), *([arrays[1:]] if self.of_state else [])

    def derive(self, xp, dout, x, a):
        return dout * a, xp.sum(dout * x, axis=0)


@pytest.mark.parametrize("last", [("w", "m1"), ("w1", "m"), ("w1", "m1")])
def test_two_arrays_of_one_name_are_refused(last):
    layers = [Named("w", "m") for _ in range(11)]
    with pytest.raises(
        ValueError, match="Network: two .* would be called [wm]11, [wm]1? of Named.*rename one"
    ):
        Network([Named(*last), *layers, Affine(3)], SoftmaxCrossEntropy(), 4)
    net = Network([Named("v", "n"), *layers, Affine(3)], SoftmaxCrossEntropy(), 4)
    assert len(net.params) == 14 and len(net.state) == 12 and "w11" in net.params and "m11" in net.state


def test_a_layer_that_does_not_call_init_is_a_layer():
    net = Network([Named("w"), BatchNorm(), Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)
    assert isinstance(net.layers["Named1"].params, Arrays)
    assert check_gradients(net, X, T).ok and check_gradients(net.layers["Named1"], X).ok


def test_two_layers_of_one_name_are_refused():
    one, many = type("Named1", (Named,), {}), [Named("w") for _ in range(11)]
    with pytest.raises(
        ValueError, match="two layers would be called Named11, Named1 of layer 0 and Named of"
    ):
        Network([one("w"), *many, Affine(3)], SoftmaxCrossEntropy(), 4)
    named = {str(i): layer for i, layer in enumerate([one("w"), *many, Affine(3)])}
    assert len(Network(named, SoftmaxCrossEntropy(), 4).layers) == 13


def test_a_snapshot_of_the_state_comes_back():
    net = Network([Affine(5), BatchNorm(), Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)
    kept, before = copy.deepcopy(dict(net.state)), net.predict(X)
    net.gradient(X, T)
    assert not np.array_equal(net.predict(X), before)
    for name, values in kept.items():
        net.state[name][...] = values
    assert np.array_equal(net.predict(X), before)


class Book:
    """An affine layer in the style of the book, with attributes or with dictionaries."""

    def __init__(self, as_dict):
        self.as_dict, W, b = as_dict, np.ones((4, 5)), np.zeros(5)
        if as_dict:
            self.params, self.grads = {"W": W, "b": b}, {}
        else:
            self.W, self.b, self.dW, self.db = W, b, None, None

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"] if self.as_dict else x @ self.W + self.b

    def backward(self, dout):
        dW, db = self.x.T @ dout, dout.sum(axis=0)
        if self.as_dict:
            self.grads = {"W": dW, "b": db}
            return dout @ self.params["W"].T
        self.dW, self.db = dW, db
        return dout @ self.W.T


@pytest.mark.parametrize("as_dict", [False, True])
def test_an_object_that_lets_go_of_the_networks_array_is_refused(as_dict):
    book = Book(as_dict)
    net = Network([book, Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)
    held, zeros = (book.params if as_dict else vars(book)), np.zeros((4, 5))
    held["W"][...] = zeros
    assert not net.params["W1"].any() and check_gradients(net, X, T).ok
    own, held["W"] = held["W"], zeros
    for call in (lambda: net.predict(X), lambda: net.gradient(X, T), lambda: train(net, X, T, iterations=1)):
        with pytest.raises(
            ValueError, match="^Book: its W is no longer the network's array; assign .* in pla"
        ):
            call()
    held["W"] = own
    train(net, X, T, iterations=1)
