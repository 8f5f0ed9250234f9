"""Training with a schedule: the rates of each step, on the device and in the history; what is refused."""

import math
from fractions import Fraction

import numpy as np
import pytest

from backends import to_numpy
from backprop import TwoLayerNet, train
from backprop.optimizers import SGD, Constant, Cosine, Momentum, OneCycle, Schedule, StepDecay, WarmUp
from backprop.training import Diverged

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(50, 8)), RNG.integers(0, 3, 50)


def net_of(**options):
    return TwoLayerNet(8, 5, 3, **{"weight_init_std": 0.5, "rng": 0, "dtype": "float64", **options})


@pytest.mark.parametrize("total", [7, 17])
def test_every_step_has_its_rate(backend, total, monkeypatch):
    """Over several segments, in which the rows of the one before must not be left."""
    monkeypatch.setattr("backprop.training.step.SEGMENT", 8)
    net, by_hand, optimizer = net_of(), net_of(), SGD(0.3)
    schedule = WarmUp(3, then=Cosine())
    history = train(net, X, T, iterations=total, batch_size=5, optimizer=SGD(0.3), schedule=schedule, rng=5)
    for step, batch in enumerate(np.random.default_rng(5).integers(50, size=(total, 5))):
        optimizer.learning_rate = 0.3 * schedule.factor(step, total)
        assert history.learning_rate[step] == optimizer.learning_rate
        optimizer.update(by_hand.params, by_hand.gradient(X[batch], T[batch]))
    assert len(history.learning_rate) == total
    np.testing.assert_allclose(to_numpy(net.params.flat), to_numpy(by_hand.params.flat), rtol=1e-9)


def test_every_step_has_its_momentum(backend):
    net, by_hand, optimizer = net_of(), net_of(), Momentum(0.1)
    cycle = OneCycle(start=0.5, momentum=(0.9, 0.5))
    train(net, X, T, iterations=12, batch_size=5, optimizer=Momentum(0.1), schedule=cycle, rng=5)
    for step, batch in enumerate(np.random.default_rng(5).integers(50, size=(12, 5))):
        optimizer.learning_rate = 0.1 * cycle.factor(step, 12)
        optimizer.momentum = cycle.momentum(step, 12)
        optimizer.update(by_hand.params, by_hand.gradient(X[batch], T[batch]))
    np.testing.assert_allclose(to_numpy(net.params.flat), to_numpy(by_hand.params.flat), rtol=1e-9)


@pytest.mark.parametrize("momenta", [[None, 0.5, None], [0.5, None, None]])
def test_a_momentum_for_some_steps(momenta):
    """In the others, the optimizer's own counts."""

    class Some(Constant):
        def momentum(self, step, total):
            return momenta[step]

    nets = net_of(), net_of()
    options = {"iterations": 3, "batch_size": 5, "rng": 5}
    train(nets[0], X, T, optimizer=Momentum(0.1, 0.25), schedule=Some(), **options)
    momenta, own = [0.25 if each is None else each for each in momenta], momenta
    assert momenta != own
    train(nets[1], X, T, optimizer=Momentum(0.1), schedule=Some(), **options)
    np.testing.assert_array_equal(nets[0].params.flat, nets[1].params.flat)


def test_a_run_that_diverges_blames_the_rate_of_its_last_step():
    schedule = [1.0, 1e200, 1e200, 1e200].__getitem__
    with pytest.raises(Diverged, match=r"the likely cause is the learning rate, 1e\+199: try 0.1"):
        train(net_of(), X, T, iterations=4, batch_size=5, schedule=schedule, rng=0)


def test_a_function_of_the_step_is_a_schedule(backend):
    nets = net_of(), net_of()
    options = {"iterations": 9, "batch_size": 5, "rng": 5}
    histories = [
        train(net, X, T, schedule=schedule, **options)
        for net, schedule in zip(nets, (StepDecay(4, 0.5), lambda step: 0.5 ** (step // 4)), strict=True)
    ]
    assert histories[0].loss == histories[1].loss
    assert histories[0].learning_rate == [0.1] * 4 + [0.05] * 4 + [0.025]


def test_a_network_with_its_own_gradient_follows_the_schedule():
    class Own(TwoLayerNet):
        def gradient(self, x, t):
            return super().gradient(x, t)

    losses = [
        train(
            kind(8, 5, 3, rng=0, dtype="float64"), X, T, iterations=9, batch_size=5, schedule=Cosine(), rng=5
        ).loss
        for kind in (TwoLayerNet, Own)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_without_a_schedule_the_history_has_the_optimizers_rates():
    optimizer = SGD(0.2)

    def callback(history):
        if len(history.loss) == 4:
            optimizer.learning_rate = 0.1

    options = {"iterations": 6, "batch_size": 5, "evaluate_every": 2, "rng": 0}
    history = train(net_of(), X, T, optimizer=optimizer, callback=callback, **options)
    assert history.learning_rate == [0.2] * 4 + [0.1] * 2
    optimizer = SGD(0.2)
    scheduled = train(
        net_of(), X, T, optimizer=optimizer, callback=callback, schedule=lambda step: 0.5, **options
    )
    assert scheduled.learning_rate == [0.1] * 4 + [0.05] * 2
    assert optimizer.learning_rate == 0.1, "a schedule does not assign to it"


def test_rates_are_those_of_the_next_run_again():
    """What a schedule wrote on the device is gone when the optimizer's own rate counts again."""
    optimizer, continued = Momentum(0.1), Momentum(0.1)
    one, two = net_of(), net_of()
    train(one, X, T, iterations=3, batch_size=5, optimizer=optimizer, schedule=lambda step: 0.0, rng=1)
    np.testing.assert_array_equal(to_numpy(one.params.flat), to_numpy(two.params.flat))
    histories = [
        train(n, X, T, iterations=3, batch_size=5, optimizer=o, rng=2)
        for n, o in ((one, optimizer), (two, continued))
    ]
    assert histories[0].loss == histories[1].loss


class Wrong(Schedule):
    """A schedule with a wrong number at step 7."""

    def __init__(self, factor=1.0, momentum=None):
        self.wrong = factor, momentum

    def factor(self, step, total):
        return self.wrong[0] if step == 7 else 1.0

    def momentum(self, step, total):
        return None if self.wrong[1] is None else self.wrong[1] if step == 7 else 0.5


@pytest.mark.parametrize(
    ("schedule", "error", "words"),
    [
        (
            Wrong(math.nan),
            ValueError,
            "schedule must return a finite number of at least 0, got nan for step 7",
        ),
        (Wrong(-0.1), ValueError, "schedule must return a finite number of at least 0, got -0.1 for step 7"),
        (Wrong(10**400), ValueError, "schedule must return a finite number of .*, got 10+… for step 7"),
        (Wrong(math.inf), ValueError, "schedule must return a finite number of .*, got inf for step 7"),
        (Wrong("fast"), TypeError, "schedule must return a finite number of .*, got 'fast' for step 7"),
        (Wrong(None), TypeError, "schedule must return a finite number .*, got None for step 7"),
        (Wrong(True), TypeError, "schedule must return a finite number .*, got True for step 7"),
        (
            Wrong(momentum=1.0),
            ValueError,
            "schedule must return a momentum of at least 0 and below 1, got 1.0 f",
        ),
        (Wrong(momentum=math.nan), ValueError, "schedule must return a momentum .*, got nan for step 7"),
        (lambda step: math.nan, ValueError, "schedule must return .*, got nan for step 0"),
        (
            Cosine,
            TypeError,
            r"schedule must be a Schedule, such as Cosine\(\), or a function of the step, got <",
        ),
        ("cosine", TypeError, "schedule must be a Schedule, .*, got 'cosine'"),
    ],
)
def test_a_wrong_schedule_changes_nothing(schedule, error, words):
    net, rng, optimizer = net_of(), np.random.default_rng(0), Momentum(0.1)
    before = net.params.flat.copy()
    with pytest.raises(error, match=f"^train: {words}"):
        train(net, X, T, iterations=20, optimizer=optimizer, schedule=schedule, rng=rng)
    np.testing.assert_array_equal(net.params.flat, before)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
    assert optimizer.state is None


def test_a_rate_that_float32_cannot_hold_is_refused_beforehand():
    with pytest.raises(ValueError, match="^train: schedule must keep .* in float32, got 1e.39 · 0.5 for"):
        train(net_of(dtype="float32"), X, T, iterations=2, learning_rate=0.5, schedule=lambda step: 1e39)
    with pytest.raises(ValueError, match=r"finite in float64, got 1e.308 · 10 for step 1"):
        train(net_of(), X, T, iterations=2, learning_rate=10.0, schedule=[1.0, 1e308].__getitem__)


def test_any_real_number_is_a_factor():
    kinds = (1, np.float32(0.5), Fraction(1, 4), np.int64(2))
    history = train(net_of(), X, T, iterations=4, learning_rate=1.0, schedule=kinds.__getitem__, rng=0)
    assert history.learning_rate == [1.0, 0.5, 0.25, 2.0]


def test_a_momentum_where_the_optimizer_has_none():
    with pytest.raises(
        ValueError, match="^train: schedule changes the momentum, but SGD has none; use Momentum"
    ):
        train(net_of(), X, T, iterations=4, schedule=OneCycle(momentum=(0.9, 0.8)))
