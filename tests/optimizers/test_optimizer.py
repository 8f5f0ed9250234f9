"""The contract of all optimizers: their parameters, a rate that may change, copies, a user's own formula."""

import copy
import pickle

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import TwoLayerNet, train
from backprop.optimizers import SGD, Momentum, Optimizer

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(20, 4)), RNG.integers(2, size=20)


def net_of(seed=0):
    return TwoLayerNet(4, 3, 2, weight_init_std=1.0, dtype="float64", rng=seed)


class Lion(Optimizer):
    """One of a user's own, with two kinds of state."""

    zeros, numbers = ("m",), ("count",)

    def compute(self, xp, w, g, rate, m, count):
        step = xp.sign(0.9 * m + 0.1 * g)
        return w - rate * step, (0.99 * m + 0.01 * g, count + 1.0)


@pytest.mark.parametrize("kind", [SGD, Momentum, Lion])
def test_the_parameters_of_another_network_are_refused_and_nothing_has_changed(backend, kind):
    net, other, optimizer = net_of(), net_of(1), kind(0.1)
    optimizer.update(net.params, net.gradient(X, T))
    before = to_numpy(other.params.flat).copy()
    words = f"{kind.__name__}: an optimizer stays with the parameters of its first update; create one"
    with pytest.raises(ValueError, match=words):
        optimizer.update(other.params, other.gradient(X, T))
    with pytest.raises(ValueError, match=words):
        train(other, X, T, iterations=1, batch_size=5, optimizer=optimizer)
    np.testing.assert_array_equal(to_numpy(other.params.flat), before)
    train(net, X, T, iterations=1, batch_size=5, optimizer=optimizer)


@pytest.mark.parametrize("kind", [SGD, Momentum, Lion])
def test_a_formula_of_ones_own_and_its_state_train_as_by_hand(backend, kind):
    net, optimizer = net_of(), kind(0.05)
    train(net, X, T, iterations=4, batch_size=5, optimizer=optimizer, rng=3)
    by_hand, mine = net_of(), kind(0.05)
    for batch in np.random.default_rng(3).integers(20, size=(4, 5)):
        mine.update(by_hand.params, by_hand.gradient(X[batch], T[batch]))
    np.testing.assert_allclose(to_numpy(net.params.flat), to_numpy(by_hand.params.flat), rtol=1e-13)
    if kind is Lion:
        assert float(optimizer.state["count"]) == 4.0


@pytest.mark.parametrize("kind", [SGD, Momentum])
def test_a_rate_that_changes(backend, kind):
    net, optimizer, rates = net_of(), kind(0.5), []

    def halve(history):
        optimizer.learning_rate = optimizer.learning_rate / 2
        rates.append(optimizer.learning_rate)

    train(net, X, T, iterations=3, batch_size=20, optimizer=optimizer, rng=3, callback=halve)
    by_hand, mine = net_of(), kind(0.5)
    for batch, rate in zip(np.random.default_rng(3).integers(20, size=(3, 20)), rates, strict=False):
        mine.learning_rate = rate
        mine.update(by_hand.params, by_hand.gradient(X[batch], T[batch]))
    assert rates == [0.25, 0.125, 0.0625, 0.03125]
    np.testing.assert_allclose(to_numpy(net.params.flat), to_numpy(by_hand.params.flat), rtol=1e-13)
    with pytest.raises(
        ValueError, match=f"{kind.__name__}: learning_rate must be a finite number above 0, got 0"
    ):
        optimizer.learning_rate = 0


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copy_goes_on_with_the_state_that_it_had(backend, duplicate):
    net, optimizer = net_of(), Momentum(0.1)
    optimizer.update(net.params, net.gradient(X, T))
    twin, copied = duplicate((net, optimizer))
    for each, of in ((optimizer, net), (copied, twin)):
        each.update(of.params, of.gradient(X, T))
    np.testing.assert_array_equal(to_numpy(twin.params.flat), to_numpy(net.params.flat))
    np.testing.assert_array_equal(to_numpy(copied.state.flat), to_numpy(optimizer.state.flat))
    with pytest.raises(ValueError, match="its state, <Arrays v .*>, belongs to other parameters"):
        copy.deepcopy(optimizer).update({"w": asarray(np.ones(3))}, {"w": asarray(np.ones(3))})


def test_the_gradients_are_left_alone(backend):
    for kind in (SGD, Momentum):
        net = net_of()
        gradient = net.gradient(X, T)
        before = {name: to_numpy(array).copy() for name, array in gradient.items()}
        optimizer = kind(0.1)
        optimizer.update(net.params, gradient)
        train(net, X, T, iterations=2, batch_size=5, optimizer=optimizer)
        optimizer.update(net.params, gradient)
        for name, array in before.items():
            np.testing.assert_array_equal(to_numpy(gradient[name]), array)


@pytest.mark.parametrize("result", [lambda w: w, lambda w: (w,), lambda w: (w, ()), lambda w: (w, (w, w, w))])
def test_what_a_formula_must_return(result):
    class Wrong(Optimizer):
        zeros, numbers = ("m",), ("count",)

        def compute(self, xp, w, g, rate, m, count):
            return result(w)

    params = {"w": np.ones(3)}
    with pytest.raises(
        TypeError, match=r"Wrong.compute must return new w and a tuple of new state, \(m, count\)"
    ):
        Wrong(0.1).update(params, {"w": np.ones(3)})


@pytest.mark.parametrize(
    "result",
    [
        lambda w, m, count: (w[:1], (m, count)),
        lambda w, m, count: (0.5, (m, count)),
        lambda w, m, count: (w + 1.0, (m.sum(), count)),
        lambda w, m, count: (w + 1.0, (m, w)),
    ],
)
def test_what_a_formula_returns_in_other_shapes_is_not_half_written(result):
    class Wrong(Optimizer):
        zeros, numbers = ("m",), ("count",)

        def compute(self, xp, w, g, rate, m, count):
            return result(w, m, count)

    optimizer, params = Wrong(0.1), {"w": np.ones(3)}
    with pytest.raises(
        ValueError, match="Wrong.compute must return arrays with the shapes of w and the state"
    ):
        optimizer.update(params, {"w": np.ones(3)})
    np.testing.assert_array_equal(params["w"], 1.0)
    np.testing.assert_array_equal(optimizer.state.flat, 0.0)


def test_a_gradient_that_is_no_array_and_parameters_that_have_grown(backend):
    optimizer, params = Momentum(0.1), {"w": asarray(np.ones(3))}
    with pytest.raises(ValueError, match=r"the gradient of w must have shape \(3,\), got int"):
        optimizer.update(params, {"w": 1})
    optimizer.update(params, params)
    with pytest.raises(ValueError, match="Momentum: an optimizer stays with the parameters of its"):
        optimizer.update({**params, "b": asarray(np.ones(2))}, {**params, "b": asarray(np.ones(2))})


def test_one_that_sets_its_rate_without_the_base_class():
    class Slow(SGD):
        def __init__(self):
            self.learning_rate = 0.01

    net, other = net_of(), net_of()
    train(net, X, T, iterations=3, optimizer=Slow(), rng=0)
    train(other, X, T, iterations=3, optimizer=SGD(0.01), rng=0)
    assert net.params == other.params
