"""Batches: with replacement as in the book, or without it in epochs; what an early end leaves undrawn."""

import numpy as np
import pytest

from backends import to_numpy
from backprop import TwoLayerNet, train
from backprop.training.batches import Epochs, WithReplacement

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(50, 8)), RNG.integers(0, 3, 50)


def net_of(**options):
    return TwoLayerNet(8, 5, 3, **{"weight_init_std": 0.5, "rng": 0, **options})


def states_after(draws, counts, size=10, batch_size=3):
    """The states of a generator after so many batches, by a draw of each alone; and all batches."""
    rng = np.random.default_rng(1)
    batches = draws(rng, size, batch_size)
    drawn = [batches.draw(1) for _ in range(counts)]
    return rng.bit_generator.state, np.concatenate(drawn) if drawn else None


@pytest.mark.parametrize("draws", [WithReplacement, Epochs])
def test_one_draw_or_several_give_the_same_batches(draws):
    _, expected = states_after(draws, 11)
    batches = draws(np.random.default_rng(1), 10, 3)
    parts = [batches.draw(count) for count in (1, 2, 7, 1)]
    assert [len(part) for part in parts] == [1, 2, 7, 1]
    np.testing.assert_array_equal(np.concatenate(parts), expected)


@pytest.mark.parametrize("used", range(4, 12))
@pytest.mark.parametrize("draws", [WithReplacement, Epochs])
def test_rewinding_leaves_the_generator_behind_what_was_used(draws, used):
    """With epochs, behind the last permutation that was used."""
    rng = np.random.default_rng(1)
    batches = draws(rng, 10, 3)
    batches.draw(4)
    batches.draw(7)
    batches.rewind(used)
    assert rng.bit_generator.state == states_after(draws, used)[0]


def test_an_epoch_uses_no_sample_twice():
    batches = Epochs(np.random.default_rng(0), 50, 8).draw(18)
    for epoch in range(3):
        seen = batches[6 * epoch : 6 * (epoch + 1)].ravel()
        assert len({*seen.tolist()}) == 48, "two are left out"
    left_out = [set(range(50)) - {*batches[i : i + 6].ravel().tolist()} for i in (0, 6, 12)]
    assert len({frozenset(each) for each in left_out}) == 3, "others each time"


def test_by_default_batches_are_drawn_as_ever(backend):
    """To the bit: the generator stands where the calls of the book's loop leave it."""
    rng, expected = np.random.default_rng(5), np.random.default_rng(5)
    nets = [net_of(dtype="float64") for _ in range(2)]
    losses = [train(nets[0], X, T, iterations=7, batch_size=10, rng=rng).loss]
    losses.append(train(nets[1], X, T, iterations=7, batch_size=10, rng=5, shuffle="draw").loss)
    expected.integers(50, size=(7, 10))
    assert losses[0] == losses[1] and rng.bit_generator.state == expected.bit_generator.state


def test_epochs_are_the_permutations_of_the_generator(backend):
    net, by_hand = net_of(dtype="float64"), net_of(dtype="float64")
    rng, expected = np.random.default_rng(5), np.random.default_rng(5)
    history = train(net, X, T, epochs=3, batch_size=20, shuffle="epochs", learning_rate=0.3, rng=rng)
    losses = []
    for _ in range(3):
        for batch in expected.permutation(50)[:40].reshape(2, 20):
            losses.append(float(by_hand.loss(X[batch], T[batch])))
            gradient = by_hand.gradient(X[batch], T[batch])
            for name in by_hand.params:
                by_hand.params[name] -= 0.3 * gradient[name]
    assert history.loss == pytest.approx(losses, rel=1e-12)
    assert rng.bit_generator.state == expected.bit_generator.state


class Enough(Exception):
    pass


def raising(history):
    if len(history.loss) >= 7:
        raise Enough


@pytest.mark.parametrize("shuffle", ["draw", "epochs"])
@pytest.mark.parametrize("raises", [False, True])
def test_after_an_early_end_a_continued_run_draws_what_would_have_followed(shuffle, raises):
    """Whole epochs of 5 batches have been used here, and up to 60 batches were drawn ahead."""
    options = {"batch_size": 10, "shuffle": shuffle, "evaluate_every": 10}
    whole, pieces, rng = net_of(), net_of(), np.random.default_rng(3)
    train(whole, X, T, iterations=15, rng=np.random.default_rng(3), **options)
    if raises:
        with pytest.raises(Enough):
            train(pieces, X, T, iterations=60, rng=rng, callback=raising, **options)
    else:
        stopped = train(pieces, X, T, iterations=60, rng=rng, callback=lambda h: len(h.loss) >= 7, **options)
        assert len(stopped.loss) == 10
    train(pieces, X, T, iterations=5, rng=rng, **options)
    np.testing.assert_array_equal(to_numpy(pieces.params.flat), to_numpy(whole.params.flat))


def test_a_run_that_ends_within_an_epoch_has_used_its_permutation():
    rng, expected = np.random.default_rng(3), np.random.default_rng(3)
    train(net_of(), X, T, iterations=7, batch_size=10, shuffle="epochs", rng=rng)
    for _ in range(2):
        expected.permutation(50)
    assert rng.bit_generator.state == expected.bit_generator.state
