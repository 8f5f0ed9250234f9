"""The numerical gradient by columns of the Jacobian equals the black box, or is not taken."""

import copy

import numpy as np
import pytest

from backends import Backend, asarray, to_numpy
from backprop import TwoLayerNet, check_gradients
from backprop.gradient_check.derivatives import Derivatives
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.networks.columns import COLUMNS
from backprop.networks.jacobian import PER_SAMPLE, acts_per_sample, gradient_by_columns, places, width_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6))
IMAGES = np.random.default_rng(1).normal(size=(4, 2, 5, 6))
T = [0, 2, 1, 1]
AGREE = {"complex": 1e-15, "central": 1e-8}


def two_layer_net():
    return TwoLayerNet(6, 5, 3, weight_init_std=0.5, dtype="float64", rng=0)


def three_layer_net():
    chain = [Sigmoid(), affine(5), Sigmoid(), affine(4), ReLU(), affine(3)]
    return Network(chain, SoftmaxCrossEntropy(), 6, 3, dtype="float64", rng=0)


def affine(width):
    return Affine(width, weight_init_std=0.5)


def by_columns(net, method, x=X, t=T):
    return {
        outer: gradient_by_columns(place, own, method)
        for place in places(net, x, t)
        for own, outer in place.names.items()
    }


def require_equal(net, method, gradients, x=X, t=T):
    black_box = net.numerical_gradient(x, t, method)
    for name, expected in black_box.items():
        np.testing.assert_allclose(gradients[name], to_numpy(expected), rtol=0, atol=AGREE[method])
    exact = to_numpy(net.gradient(x, t, input_gradient=True)["x"])
    np.testing.assert_allclose(gradients["x"], exact, rtol=0, atol=AGREE[method])
    assert set(gradients) == {*black_box, "x"}


@pytest.mark.parametrize("chunk_bytes", [1, 1000, 2**19])
@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("make", [two_layer_net, three_layer_net])
def test_it_equals_the_black_box(backend, monkeypatch, make, method, chunk_bytes):
    monkeypatch.setattr(Backend, "chunk_bytes", chunk_bytes)
    net = make()
    require_equal(net, method, by_columns(net, method))


@pytest.mark.parametrize("method", ["complex", "central"])
def test_so_it_does_with_another_loss(backend, method):
    net = Network([affine(5), Sigmoid(), affine(3)], MeanSquaredError(), 6, 3, dtype="float64", rng=0)
    t = RNG.normal(size=(4, 3))
    require_equal(net, method, by_columns(net, method, t=t), t=t)


@pytest.mark.parametrize("method", ["complex", "central"])
def test_every_layer_that_treats_samples_independently(backend, method):
    """In front of the last Affine, whose columns pass through none; so the Place is the first one."""
    layers = [each() for each in (GELU, LeakyReLU, Tanh, Flatten, Softmax, Sigmoid, ReLU)]
    of_images = {Conv2D, MaxPool2D, AveragePool2D, GlobalAveragePool2D}  # in the next test
    assert {type(layer) for layer in layers} | {Affine, LayerNorm} | of_images == set(PER_SAMPLE)
    chain = [affine(4), LayerNorm(), *layers, affine(3)]
    net = Network(chain, SoftmaxCrossEntropy(), 6, 3, dtype="float64", rng=0)
    black_box = net.numerical_gradient(X, T, method)
    found = by_columns(net, method)
    assert set(found) == {"W1", "b1", "W2", "b2", "x"}
    for name in ("W1", "b1", "W2", "b2"):
        np.testing.assert_allclose(found[name], to_numpy(black_box[name]), rtol=0, atol=AGREE[method])


CHAINS = {
    "pooled": [Conv2D(3, 3), ReLU(), MaxPool2D(2), Affine(3)],
    "strided": [Conv2D(3, (2, 3), stride=2, padding=1), Sigmoid(), Affine(4), ReLU(), Affine(3)],
    "overlapping": [Conv2D(2, 2, padding=2), MaxPool2D(3, 1, 1), Tanh(), AveragePool2D(2, 3, 1), Affine(3)],
    "deep": [Conv2D(3, 3, padding=1), ReLU(), Conv2D(3, 2), Tanh(), GlobalAveragePool2D()],
    "a last row left out": [AveragePool2D(2), Conv2D(4, 1, stride=2), Flatten(), Affine(3)],
}


@pytest.mark.parametrize("chunk_bytes", [1, 2**15])
@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("chain", CHAINS)
def test_convolution_and_pooling(backend, monkeypatch, chain, method, chunk_bytes):
    if backend.name == "array_api_strict" and chunk_bytes == 1:
        pytest.skip("too slow entry by entry")
    monkeypatch.setattr(Backend, "chunk_bytes", chunk_bytes)
    layers = copy.deepcopy(CHAINS[chain])
    net = Network(layers, SoftmaxCrossEntropy(), (2, 5, 6), 3, dtype="float64", rng=0)
    x, t = IMAGES[:2], T[:2]
    found, exact = by_columns(net, method, x, t), net.gradient(x, t, input_gradient=True)
    assert set(found) == {*net.params, "x"}
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, to_numpy(exact[name]), rtol=0, atol=AGREE[method])
    assert all(abs(gradient).max() > 1e-3 for gradient in found.values())
    if backend.name == "numpy" and chunk_bytes == 1:
        require_equal(net, method, found, x, t)


@pytest.mark.parametrize("make", [lambda: Conv2D(3, 2, stride=2, padding=1), lambda: MaxPool2D(2, 1)])
def test_a_layer_alone(backend, monkeypatch, make):
    """By columns alone: what an evaluation per entry would take is forbidden."""
    monkeypatch.setattr(Derivatives, "every_entry", None)
    check_gradients(make(), asarray(IMAGES), mode="full").assert_ok()


def test_images_are_perturbed_pixel_by_pixel(backend):
    flat, net = by_columns(two_layer_net(), "complex"), image_net()
    images = by_columns(net, "complex", X.reshape(4, 1, 2, 3))
    np.testing.assert_array_equal(images["x"], flat["x"].reshape(4, 1, 2, 3))
    np.testing.assert_array_equal(images["W1"], flat["W1"])


def image_net():
    """The two-layer net for samples of shape (1, 2, 3)."""
    layers = two_layer_net().layers
    chain = [layers["Affine1"], layers["ReLU1"], layers["Affine2"]]
    arrays = [(layer.params["W"], layer.params["b"]) for layer in chain if layer.params]
    return Network([Affine(*arrays[0]), ReLU(), Affine(*arrays[1])], SoftmaxCrossEntropy(), (1, 2, 3), 3)


# -------------------------------------------------------------------------------------- where it is not taken


class Centred(ReLU):
    """Samples depend on each other here, whatever the class that it inherits from does."""

    def forward(self, x, training=True):
        return self.centred(super().forward(x, training))

    def backward(self, dout):
        return super().backward(self.centred(dout))

    def centred(self, values):
        n = values.shape[0]
        return values - asarray(np.ones((n, n)) / n) @ values


class Tied(ReLU):
    """So they do here, by formulas."""

    def compute(self, xp, x):
        return x - xp.mean(x, axis=0, keepdims=True), ()

    def derive(self, xp, dout):
        return dout - xp.mean(dout, axis=0, keepdims=True)


class Unwilling(Sigmoid):
    """Takes no more than x."""

    def forward(self, x):
        return super().forward(x)


class Twice(Affine):
    """Other columns than those of its base class."""

    def compute(self, xp, x, W, b):
        return 2.0 * x @ W + b, (x, W)

    def derive(self, xp, dout, x, W):
        return 2.0 * dout @ W.T, 2.0 * x.T @ dout, xp.sum(dout, axis=0)


@pytest.mark.parametrize("kind", [Centred, Tied, Unwilling, lambda: Twice(np.ones((6, 2)), np.zeros(2))])
def test_a_subclass_that_does_otherwise_is_not_taken(kind):
    layer = kind()
    assert not acts_per_sample(layer)
    check_gradients(layer, X, mode="full").assert_ok()


@pytest.mark.parametrize("kind", [Centred, Tied, Unwilling])
def test_nor_is_what_stands_before_it_in_a_network(backend, kind):
    net = Network([affine(5), kind(), affine(3)], SoftmaxCrossEntropy(), 6, 3, dtype="float64", rng=0)
    assert [[*place.names.values()] for place in places(net, X, T)] == [["W2", "b2"]]
    check_gradients(net, X, T, mode="full").assert_ok()


def test_a_method_of_one_object_is_a_pass_of_its_own_as_well():
    layer = ReLU()
    assert acts_per_sample(layer)
    layer.forward = lambda x, training=True: x
    assert not acts_per_sample(layer)


def test_a_network_or_loss_with_passes_of_its_own_has_no_places():
    class Halved(TwoLayerNet):
        def loss(self, x, t, training=False):
            return 0.5 * super().loss(x, t, training)

    class OwnLoss(SoftmaxCrossEntropy):
        def forward(self, scores, t, training=True):
            return 2.0 * super().forward(scores, t, training)

    for net in (Halved(6, 5, 3, rng=0), Network([Affine(3)], OwnLoss(), 6, 3, rng=0), object()):
        assert list(places(net, X, T)) == []


def test_layers_behind_one_that_is_unknown_are_taken_and_those_before_are_not():
    class Unknown(ReLU):
        pass

    net = Network([affine(5), Unknown(), affine(3)], SoftmaxCrossEntropy(), 6, 3, dtype="float64", rng=0)
    assert [[*place.names.values()] for place in places(net, X, T)] == [["W2", "b2"]]
    check_gradients(net, X, T, mode="full").assert_ok()
    net.numerical_gradient(X, T)


@pytest.mark.parametrize("method", ["complex", "central"])
def test_behind_batch_norm_the_samples_are_those_of_training(backend, method):
    """Mean and variance are those of the batch, as in the loss that is differentiated."""
    chain = [affine(5), BatchNorm(), Sigmoid(), affine(3)]
    net = Network(chain, SoftmaxCrossEntropy(), 6, 3, dtype="float64", rng=0)
    for name in ("running_mean1", "running_var1"):
        net.state[name][...] = asarray(1.0 + RNG.random(5))  # far from those of the batch
    gradients = by_columns(net, method)
    assert set(gradients) == {"W2", "b2"}
    for name in gradients:
        expected = to_numpy(net.numerical_gradient(X, T, method)[name])
        np.testing.assert_allclose(gradients[name], expected, rtol=0, atol=AGREE[method])
        exact = to_numpy(net.gradient(X, T)[name])
        np.testing.assert_allclose(gradients[name], exact, rtol=0, atol=AGREE[method])
    check_gradients(net, X, T, method=method, mode="full").assert_ok()


def test_the_tables_know_classes_that_there_are():
    assert set(COLUMNS) == {each for each in PER_SAMPLE if each is not LayerNorm and has_parameters(each)}
    assert not any(issubclass(BatchNorm, known) for known in PER_SAMPLE)


def has_parameters(kind):
    """Whether a layer creates parameters."""
    return kind.initial is not Layer.initial


def test_the_memory_is_bounded_by_the_widest_layer(monkeypatch):
    monkeypatch.setattr(Backend, "chunk_bytes", 8 * 4 * 300 * 7)  # seven batches behind the wide layer
    net = TwoLayerNet(6, 2, 300, dtype="float64", rng=0)
    seen = []
    compute = SoftmaxCrossEntropy.compute

    def watched(self, xp, logits, labels):
        seen.append(logits.shape[0] // 4)
        return compute(self, xp, logits, labels)

    monkeypatch.setattr(SoftmaxCrossEntropy, "compute", watched)
    by_columns(net, "central")
    assert max(seen) == 7


def test_the_layers_in_front_of_a_place_do_not_bound_it():
    """They are not computed again, so that many entries behind them fit into one batch."""
    chain = [Conv2D(3, 3), ReLU(), MaxPool2D(2), Affine(5), ReLU(), Affine(3)]
    net = Network(chain, SoftmaxCrossEntropy(), (2, 8, 8), 3, dtype="float64", rng=0)
    x = RNG.normal(size=(4, 2, 8, 8))
    widths = {tuple(place.names.values()): place.width for place in places(net, x, T)}
    assert widths[("x",)] == 2 * 9 * 36  # the windows of the convolution
    assert widths[("W1", "b1")] == 3 * 36 and widths[("W2", "b2")] == 5 and widths[("W3", "b3")] == 1


def test_windows_that_overlap_hold_a_value_several_times():
    for layer, width in ((MaxPool2D(2), 2 * 36), (MaxPool2D(3, 1, 1), 2 * 9 * 36), (ReLU(), 2 * 36)):
        x = RNG.normal(size=(1, 2, 6, 6))
        assert width_of(layer, x, layer.forward(x)) == width
