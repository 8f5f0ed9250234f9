"""The numerical gradient through how outputs move equals the black box, and is dropped where it does not."""

import numpy as np
import pytest

from backends import Backend, asarray, to_numpy
from backprop import TwoLayerNet, check_gradients
from backprop.layers import Affine, ReLU, Sigmoid, SoftmaxCrossEntropy
from backprop.moves import gradient_by_moves
from backprop.networks.network import Network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6))
T = [0, 2, 1, 1]
AGREE = {"complex": 1e-15, "central": 1e-8}


def two_layer_net():
    return TwoLayerNet(6, 5, 3, weight_init_std=0.5, dtype="float64", rng=0)


def three_layer_net():
    shapes = ((6, 5), (5, 4), (4, 3))
    first, second, third = (
        Affine.create(*shape, weight_init_std=0.5, dtype="float64", rng=i) for i, shape in enumerate(shapes)
    )
    layers = {"S0": Sigmoid(), "A": first, "S": Sigmoid(), "B": second, "R": ReLU(), "C": third}
    return Network(layers, SoftmaxCrossEntropy(), 6, 3)


def by_moves(net, method):
    return {
        outside: gradient_by_moves(stage, own, method)
        for stage in net.stages(X, T)
        for own, outside in stage.names.items()
    }


@pytest.mark.parametrize("chunk_bytes", [1, 1000, 2**19])
@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("make", [two_layer_net, three_layer_net])
def test_it_equals_the_black_box(backend, monkeypatch, make, method, chunk_bytes):
    monkeypatch.setattr(Backend, "chunk_bytes", chunk_bytes)
    net = make()
    black_box = net.numerical_gradient(X, T, method)
    gradients = by_moves(net, method)
    assert set(gradients) == {*black_box, "x"}
    for name, expected in black_box.items():
        np.testing.assert_allclose(gradients[name], to_numpy(expected), rtol=0, atol=AGREE[method])
    exact = to_numpy(net.gradient(X, T, input_gradient=True)["x"])
    np.testing.assert_allclose(gradients["x"], exact, rtol=0, atol=AGREE[method])


def test_images_are_moved_pixel_by_pixel(backend):
    net = TwoLayerNet(6, 5, 3, weight_init_std=0.5, dtype="float64", rng=0)
    images, flat = (next(iter(net.stages(x, T))) for x in (X.reshape(4, 1, 2, 3), X))
    expected = gradient_by_moves(flat, "x", "complex")
    np.testing.assert_array_equal(gradient_by_moves(images, "x", "complex"), expected.reshape(4, 1, 2, 3))


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("make", [two_layer_net, three_layer_net])
def test_copies_of_all_parameters_equal_the_black_box(backend, monkeypatch, make, method):
    net = make()
    one_by_one = net.numerical_gradient(X, T, method)
    monkeypatch.setattr(Backend, "prefers_copies", True)
    monkeypatch.setattr(Backend, "chunk_bytes", 10_000)  # more than one copy, and not all of them
    assert 1 < net.backend.copies_at_once(8 * net.params.flat.shape[0]) < net.params.flat.shape[0]
    for x in (X, X.reshape(4, 2, 3)):
        for name, stacked in net.numerical_gradient(x, T, method).items():
            expected = to_numpy(one_by_one[name])
            np.testing.assert_allclose(to_numpy(stacked), expected, rtol=0, atol=AGREE[method])


class Centred(ReLU):
    """Samples depend on each other here, whatever the base class says of itself."""

    def forward(self, x, training=True):
        out = super().forward(x, training)
        return out - asarray(np.ones((x.shape[0], x.shape[0])) / x.shape[0]) @ out

    def backward(self, dout):
        return super().backward(
            dout - asarray(np.ones((dout.shape[0], dout.shape[0])) / dout.shape[0]) @ dout
        )


def test_what_a_layer_wrongly_says_of_itself_is_not_taken(backend):
    assert Centred.samplewise
    check_gradients(Centred(), asarray(X), mode="full").assert_ok()


class Unwilling(Sigmoid):
    """Takes no more than x."""

    def forward(self, x):
        return super().forward(x)


def test_a_subclass_that_cannot_be_asked_takes_the_black_box(backend):
    check_gradients(Unwilling(), asarray(X), mode="full").assert_ok()


class Coupled(ReLU):
    samplewise = False


def test_layers_behind_one_that_says_nothing_are_asked_and_those_before_are_not():
    def affine(*shape):
        return Affine.create(*shape, dtype="float64", rng=0)

    net = Network({"A": affine(6, 5), "C": Coupled(), "B": affine(5, 3)}, SoftmaxCrossEntropy(), 6, 3)
    assert [list(stage.names.values()) for stage in net.stages(X, T)] == [["W2", "b2"]]
    check_gradients(net, X, T, mode="full").assert_ok()
    net.numerical_gradient(X, T)


def test_the_memory_is_bounded_by_the_widest_layer(monkeypatch):
    monkeypatch.setattr(Backend, "chunk_bytes", 8 * 4 * 300 * 7)  # seven batches behind the wide layer
    net = TwoLayerNet(6, 2, 300, dtype="float64", rng=0)
    seen = []
    losses = SoftmaxCrossEntropy.losses

    def watched(self, logits, *rest, **options):
        seen.append(logits.shape[0] // 4)
        return losses(self, logits, *rest, **options)

    monkeypatch.setattr(SoftmaxCrossEntropy, "losses", watched)
    by_moves(net, "central")
    assert max(seen) == 7
