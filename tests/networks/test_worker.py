"""A network at work in a loop: what it shares with its original, what not, and when there is none."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import TwoLayerNet, train
from backprop.layers import Affine, ReLU, SoftmaxCrossEntropy
from backprop.layers.fused import AffineSoftmaxCrossEntropy
from backprop.networks import Network
from backprop.networks.worker import worker

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(20, 8)), RNG.integers(3, size=20)


def net_of(**options):
    return TwoLayerNet(8, 5, 3, **{"weight_init_std": 0.5, "rng": 0, "dtype": "float64", **options})


def test_neighbours_become_one_layer():
    net = net_of()
    work = worker(net)
    assert list(work.layers) == ["Affine1+ReLU1"]
    assert type(work.loss_layer) is AffineSoftmaxCrossEntropy
    assert list(net.layers) == ["Affine1", "ReLU1", "Affine2"]
    assert type(net.loss_layer) is SoftmaxCrossEntropy


def test_a_single_affine_layer_stays_beside_its_loss():
    net = Network({"Affine": Affine.create(8, 3, rng=0, dtype="float64")}, SoftmaxCrossEntropy(), 8, 3)
    work = worker(net)
    assert list(work.layers) == ["Affine"]
    assert type(work.loss_layer) is SoftmaxCrossEntropy
    np.testing.assert_allclose(work.backpropagate(X, T)[0], net.losses(X, T), rtol=1e-12)


def test_an_affine_is_fused_with_what_comes_right_behind_it():
    layers = {
        "ReLU0": ReLU(),
        "Affine1": Affine.create(8, 6, rng=0),
        "Affine2": Affine.create(6, 5, rng=1),
        "ReLU2": ReLU(),
        "ReLU3": ReLU(),
    }
    net = Network(layers, SoftmaxCrossEntropy(), 8, 5)
    assert list(worker(net).layers) == ["ReLU0", "Affine1", "Affine2+ReLU2", "ReLU3"]


def test_it_computes_what_the_network_computes(backend):
    net = net_of()
    work, x, t = worker(net), asarray(X), asarray(T)
    losses, dx = work.backpropagate(x, t, needs_dx=True)
    expected, expected_dx = net.backpropagate(x, t, needs_dx=True)
    pairs = [
        (losses, expected),
        (dx, expected_dx),
        (work.grads.flat, net.grads.flat),
        (work.losses(x, t), net.losses(x, t)),
        (work.predict(x), net.predict(x)),
    ]
    for mine, theirs in pairs:
        np.testing.assert_allclose(to_numpy(mine), to_numpy(theirs), rtol=1e-12, atol=1e-15)
    assert work.share_correct(x, t) == net.share_correct(x, t)


def test_a_seed_scales_the_gradients_and_not_the_losses(backend):
    work, x, t = worker(net_of()), asarray(X), asarray(T)
    losses, _ = work.backpropagate(x, t)
    losses, gradient = to_numpy(losses).copy(), to_numpy(work.grads.flat).copy()
    for dout in (0.25, 0.25, -2.0, 0.0, 0.0, 1.0):  # the last seed is remembered: it may come again or not
        again, _ = work.backpropagate(x, t, dout=dout)
        np.testing.assert_array_equal(to_numpy(again), losses)
        np.testing.assert_allclose(to_numpy(work.grads.flat), dout * gradient, rtol=1e-13, atol=1e-16)


def test_it_shares_the_parameters_and_nothing_else():
    net = net_of()
    before = net.gradient(X, T)
    kept = {name: values.copy() for name, values in before.items()}
    flat, work = net.grads.flat.copy(), worker(net)
    work.backpropagate(X[:4], T[:4])
    work.params.flat[...] += 1.0
    assert work.params is net.params
    np.testing.assert_array_equal(net.grads.flat, flat)
    for name, values in before.items():
        np.testing.assert_array_equal(values, kept[name])
    with pytest.raises(RuntimeError, match="needs a forward"):
        net.layers["Affine2"].backward(np.ones((4, 3)))


def test_every_step_writes_into_the_same_memory():
    work = worker(net_of())
    outs = []
    for _ in range(2):
        (layer,) = work.layers.values()
        outs += [layer.forward(X), work.backpropagate(X, T, needs_dx=True)[1], work.grads["W2"]]
    for first, second in zip(outs[:3], outs[3:], strict=True):
        assert np.shares_memory(first, second)


class Counting(ReLU):
    """A layer with a state of its own that says nothing of it."""

    calls = 0

    def forward(self, x, training=True):
        self.calls += 1
        return super().forward(x, training)


def with_a_state():
    layers = {"Affine1": Affine.create(8, 3, rng=0, dtype="float64"), "Counting": Counting()}
    return Network(layers, SoftmaxCrossEntropy(), 8, 3)


def with_a_patched_layer():
    net = net_of()
    relu = net.layers["ReLU1"]
    backward = relu.backward
    relu.backward = lambda dout: backward(dout) * 0.5
    return net


class Decaying(TwoLayerNet):
    """A network with a pass of its own."""

    def backpropagate(self, x, labels, needs_dx=False, dout=1.0):
        losses, dx = super().backpropagate(x, labels, needs_dx, dout)
        self.grads.flat[...] += dout * 0.1 * self.params.flat
        return losses, dx


@pytest.mark.parametrize(
    "make",
    [with_a_state, with_a_patched_layer, lambda: Decaying(8, 5, 3, rng=0, dtype="float64")],
    ids=["a state of its own", "a patched layer", "a pass of its own"],
)
def test_what_a_copy_might_not_do_alike_trains_as_it_is(make):
    net, by_hand = make(), make()
    assert worker(net) is net
    train(net, X, T, iterations=5, batch_size=6, learning_rate=0.3, rng=5)
    for batch in np.random.default_rng(5).integers(20, size=(5, 6)):
        by_hand.backpropagate(X[batch], T[batch])
        by_hand.params.flat[...] -= 0.3 * by_hand.grads.flat
    np.testing.assert_allclose(net.params.flat, by_hand.params.flat, rtol=1e-13)


def test_a_layers_own_state_is_seen_to_change():
    net = with_a_state()
    train(net, X, T, iterations=5, batch_size=6, rng=0)
    assert net.layers["Counting"].calls > 5
