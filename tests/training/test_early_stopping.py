"""Early ends of a run: patience, with the best weights kept, and a callback that returns True."""

import copy

import numpy as np
import pytest

from backends import to_numpy
from backprop import TwoLayerNet, train
from backprop.layers import Affine, BatchNorm, ReLU
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD
from backprop.training import Diverged

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(50, 8)), RNG.integers(0, 3, 50)
TEST = RNG.normal(size=(30, 8)), RNG.integers(0, 3, 30)  # nothing to learn: the loss soon rises


def with_state(**options):
    layers = [Affine(5, weight_init_std=1.0), BatchNorm(), ReLU(), Affine(3, weight_init_std=1.0)]
    return Network(layers, SoftmaxCrossEntropy(), 8, 3, **{"rng": 0, "dtype": "float64", **options})


def left_by(net):
    return [to_numpy(array).tobytes() for array in (net.params.flat, *net.state.values())]


def run(net, **options):
    given = {"iterations": 40, "batch_size": 10, "learning_rate": 0.5, "evaluate_every": 2, "rng": 3}
    return train(net, X, T, *TEST, **given | options)


def test_it_stops_and_keeps_the_best(backend):
    net = with_state()
    history = run(net, patience=3)
    at = history.iterations.index(history.best_iteration)
    assert history.test_loss[at] == min(history.test_loss) and history.best_iteration > 0
    assert history.iterations[-1] == history.best_iteration + 6 == len(history.loss) < 40
    expected = (
        f"patience: for 3 evaluations, the test loss was not below its best, {history.test_loss[at]:.6g}"
    )
    assert history.stopped == expected
    fewer = with_state()
    run(fewer, iterations=history.best_iteration)
    assert left_by(net) == left_by(fewer), "weights and statistics of the best evaluation"


def test_the_loss_of_the_validation_set_counts_if_there_is_one(backend):
    history = run(with_state(), patience=3, validation=TEST)
    best = history.iterations.index(history.best_iteration)
    assert "validation loss" in history.stopped and history.validation_loss[best] == min(
        history.validation_loss
    )
    held = run(with_state(), patience=3, validation=0.2)
    assert held.best_iteration == held.iterations[int(np.argmin(held.validation_loss))]


def test_a_run_that_reaches_its_end_has_not_stopped_and_has_the_best_weights_too():
    net = with_state()
    history = run(net, iterations=10, patience=100)
    assert (history.stopped, len(history.loss)) == ("", 10)
    assert history.best_iteration == history.iterations[int(np.argmin(history.test_loss))]
    assert float(net.loss(*TEST)) == pytest.approx(min(history.test_loss), rel=1e-12)


def test_patience_of_one_and_evaluations_that_are_equal():
    """A loss that does not fall is no improvement."""
    history = run(TwoLayerNet(8, 5, 3, rng=0), learning_rate=1e-30, patience=1)
    assert history.test_loss == history.test_loss[:1] * 2
    assert (history.best_iteration, len(history.loss)) == (0, 2)
    assert history.stopped.startswith("patience: for 1 evaluation, the test loss ")


class Enough(Exception):
    pass


def test_after_an_exception_the_network_has_the_best_weights_too(backend):
    net, kept = with_state(), []

    def callback(history):
        if history.iterations[-1] == history.best_iteration:
            kept[:] = left_by(net)
        if len(history.loss) >= 12:
            raise Enough

    with pytest.raises(Enough):
        run(net, patience=100, callback=callback)
    assert left_by(net) == kept


def test_after_a_diverged_run_the_network_is_usable():
    net = with_state()
    with pytest.raises(Diverged):
        run(net, schedule=lambda step: 1.0 if step < 10 else 1e300, patience=5)
    assert np.isfinite(to_numpy(net.params.flat)).all()


def test_patience_with_a_regression():
    net = Network([Affine(4), Affine(1)], MeanSquaredError(), 8, 1, rng=0)
    history = train(
        net, X, X[:, :1], validation=(X, RNG.normal(size=(50, 1))), patience=2, rng=0, batch_size=10
    )
    assert history.stopped and history.best_iteration is not None


def test_patience_needs_a_loss_to_watch_and_evaluations():
    net = with_state()
    before, rng = left_by(net), np.random.default_rng(0)
    with pytest.raises(
        ValueError, match="^train: patience needs a loss to watch; give validation=0.1, or x_t"
    ):
        train(net, X, T, patience=3, rng=rng)
    with pytest.raises(
        ValueError, match="^train: patience counts evaluations, so evaluate_every must not be N"
    ):
        run(net, patience=3, evaluate_every=None, rng=rng)
    assert left_by(net) == before
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


@pytest.mark.parametrize("answer", [True, np.True_])
def test_a_callback_that_returns_true_stops(answer):
    history = run(with_state(), callback=lambda h: answer if len(h.loss) >= 6 else None)
    assert (len(history.loss), history.stopped) == (6, "the callback returned True")
    assert history.iterations == [0, 2, 4, 6]


@pytest.mark.parametrize("answer", [None, False, 1, "yes", [1], np.ones(3), object()])
def test_other_answers_have_no_meaning(answer):
    history = run(with_state(), iterations=6, callback=lambda h: answer)
    assert (len(history.loss), history.stopped) == (6, "")


def test_a_stop_between_two_evaluations_ends_with_one():
    net = with_state()
    history = run(net, iterations=1000, evaluate_every=500, callback=lambda h: len(h.loss) > 50)
    assert len(history.loss) == 100 and history.iterations == [0, 100]
    assert history.test_loss[-1] == pytest.approx(float(net.loss(*TEST)), rel=1e-12)
    never = run(with_state(), iterations=1000, evaluate_every=None, callback=lambda h: True)
    assert len(never.loss) == 100 and never.iterations == []


def test_a_stop_at_the_very_end_is_none():
    assert run(with_state(), iterations=4, callback=lambda h: len(h.loss) == 4).stopped == ""


def test_an_early_end_leaves_the_optimizer_where_the_last_step_left_it():
    optimizer = SGD(0.5)
    run(with_state(), patience=3, learning_rate=None, optimizer=optimizer)
    assert copy.deepcopy(optimizer).learning_rate == 0.5


def test_a_stopped_run_is_that_much_of_a_longer_one(backend):
    net, whole = TwoLayerNet(8, 5, 3, rng=0), TwoLayerNet(8, 5, 3, rng=0)
    rng = np.random.default_rng(3)
    history = run(net, callback=lambda h: len(h.loss) == 8, rng=rng)
    assert history.loss + run(net, iterations=32, rng=rng).loss == run(whole).loss
