"""The training loop: what it records, that it learns, what it refuses, that no step waits for the device."""

import pickle
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import numpy as np
import pytest

from backends import asarray, to_numpy
from backends.testing import backend_or_skip
from backprop import TwoLayerNet, load_mnist_sample, train
from backprop.layers import Affine, BatchNorm, Layer, ReLU, Sigmoid
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD, Momentum
from backprop.training import Diverged, Trainer

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(50, 8)), RNG.integers(0, 3, 50)


def net_of(**options):
    return TwoLayerNet(8, 5, 3, **{"weight_init_std": 0.5, "rng": 0, **options})


GOLDEN = [0.8919008119458605, 1.0936531745330784, 1.7971368806189203]


def test_golden_run(backend):
    """Three losses that every backend must give, to rounding, for ever."""
    history = train(net_of(dtype="float64"), X, T, iterations=3, batch_size=4, rng=0)
    assert history.loss == pytest.approx(GOLDEN, rel=1e-12)


def test_it_is_the_loop_of_the_book(backend):
    """`train` makes the same updates as a hand-written loop over batches drawn from the same generator."""
    net, by_hand = net_of(dtype="float64"), net_of(dtype="float64")
    history = train(net, X, T, iterations=7, batch_size=10, learning_rate=0.3, rng=5)
    batches = np.random.default_rng(5).integers(50, size=(7, 10))
    losses = []
    for batch in batches:
        losses.append(float(by_hand.loss(X[batch], T[batch])))
        gradient = by_hand.gradient(X[batch], T[batch])
        for name in by_hand.params:
            by_hand.params[name] -= 0.3 * gradient[name]
    assert history.loss == pytest.approx(losses, rel=1e-12)
    np.testing.assert_allclose(to_numpy(net.params.flat), to_numpy(by_hand.params.flat), rtol=1e-12)


def test_recomputed_losses_are_those_after_the_update(backend):
    net = net_of(dtype="float64")
    history = train(net, X, T, iterations=5, batch_size=10, rng=5, recompute_loss=True)
    last = np.random.default_rng(5).integers(50, size=(5, 10))[-1]
    assert history.loss[-1] == pytest.approx(float(net.loss(X[last], T[last])))


def test_history(backend):
    history = train(net_of(), X, T, X[:9], T[:9], epochs=3, batch_size=20, rng=0)
    assert history.iterations == [0, 2, 4, 6]
    assert len(history.loss) == 6
    assert len(history.train_accuracy) == len(history.test_accuracy) == 4
    numbers = [*history.loss, *history.train_accuracy, *history.test_accuracy]
    assert {type(number) for number in numbers} == {float}
    assert {type(number) for number in history.iterations} == {int}
    assert history.seconds > 0


def test_accuracies_are_measured_at_the_start_of_every_epoch_and_at_the_end():
    net = net_of()
    before = net.accuracy(X, T)
    history = train(net, X, T, iterations=250, batch_size=1, rng=0)
    assert history.iterations == [0, 50, 100, 150, 200, 250]
    assert (history.train_accuracy[0], history.train_accuracy[-1]) == (before, net.accuracy(X, T))
    assert history.test_accuracy == []


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_training_that_is_broken_off_leaves_the_generator_where_it_was(at):
    """After the batches that it trained on: who goes on with it misses none."""
    rng, seen = np.random.default_rng(5), []

    def callback(history):
        seen.append(len(history.loss))
        if len(seen) > at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(net_of(), X, T, iterations=20, batch_size=10, rng=rng, callback=callback)
    expected = np.random.default_rng(5)
    expected.integers(50, size=(seen[-1], 10))
    assert seen[-1] == (0, 5, 10)[at] and rng.bit_generator.state == expected.bit_generator.state


def test_the_callback_sees_the_history_grow():
    seen = []
    train(
        net_of(),
        X,
        T,
        iterations=230,
        batch_size=50,
        rng=0,
        callback=lambda h: seen.append((len(h.loss), len(h.iterations))),
    )
    assert seen[0] == (0, 1)
    assert seen[-1] == (230, 231)
    assert all(b[0] - a[0] <= 100 for a, b in zip(seen, seen[1:], strict=False))


def test_a_callback_that_asks_for_gradients_disturbs_nothing(backend):
    plain, watched, kept = net_of(), net_of(), []
    train(plain, X, T, iterations=20, batch_size=10, rng=0)
    train(
        watched,
        X,
        T,
        iterations=20,
        batch_size=10,
        rng=0,
        callback=lambda h: kept.append(watched.gradient(X, T)["W1"]),
    )
    np.testing.assert_array_equal(to_numpy(watched.params.flat), to_numpy(plain.params.flat))
    assert len({to_numpy(array).tobytes() for array in kept}) == len(set(range(0, 21, 5)))


def test_gradients_handed_out_before_are_not_written_by_training(backend):
    net = net_of()
    kept = net.gradient(X, T)["W1"]
    before = to_numpy(kept).copy()
    train(net, X, T, iterations=5, batch_size=10)
    np.testing.assert_array_equal(to_numpy(kept), before)


def test_the_same_seed_gives_the_same_run_and_labels_may_be_one_hot(backend):
    runs = [train(net_of(), X, t, iterations=10, batch_size=10, rng=3).loss for t in (T, T, np.eye(3)[T])]
    assert runs[0] == runs[1] == runs[2]
    assert train(net_of(), X, T, iterations=10, batch_size=10, rng=4).loss != runs[0]


def test_device_arrays_are_taken_too(backend):
    on_device = train(net_of(), asarray(X, "float32"), asarray(T), iterations=5, batch_size=10, rng=0)
    assert on_device.loss == train(net_of(), X, T, iterations=5, batch_size=10, rng=0).loss


def test_digits_are_learnt(backend):
    (x, t), (x_test, t_test) = load_mnist_sample()
    net = TwoLayerNet(rng=0)
    history = train(net, x, t, x_test, t_test, epochs=8, learning_rate=0.3, rng=0)
    assert history.test_accuracy[-1] > 0.85
    assert np.mean(history.loss[-40:]) < 0.6


def test_two_threads_train_two_networks_as_one_would():
    """To the bit. By the end a rounding error has grown to 1e-6 in the weights, a wrong step to 1e-2."""

    def run(seed, results):
        net = net_of(rng=seed)
        history = train(net, X, T, iterations=2000, batch_size=7, rng=seed)
        results[seed] = [*history.loss, *net.params.flat.tolist()]

    alone, together, again = {}, {}, {}
    for seed in (1, 2):
        run(seed, alone)
    threads = [threading.Thread(target=run, args=(seed, together)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        run(seed, again)
    assert first_difference(again, alone) is None, "even without threads"
    assert first_difference(together, alone) is None


def first_difference(results, expected):
    """Return the seed, the iteration and both values where results first differ, or None."""
    for seed, values in expected.items():
        for i, (got, value) in enumerate(zip(results[seed], values, strict=True)):
            if got != value:
                return seed, i, got, value
    return None


WAITING = ("__float__", "__int__", "__bool__", "__index__", "__complex__", "__array__")
SHAPED_BY_VALUES = ("nonzero", "unique_values", "unique_counts", "unique_inverse", "unique_all")


def test_no_step_waits_for_the_device(monkeypatch):
    """A GPU must be waited for to read a value or to know a shape: no more so in a longer run."""
    backend = backend_or_skip("array_api_strict")
    waits = []

    def count_calls(owner, name, counts=lambda *arguments: True):
        original = getattr(owner, name)

        def counted(*arguments, **options):
            if counts(*arguments):
                waits.append(name)
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, counted)

    def by_mask(array, key, *value):
        return any(
            "bool" in str(getattr(k, "dtype", "")) for k in (key if isinstance(key, tuple) else (key,))
        )

    for name in WAITING:
        count_calls(backend.array_type, name)
    for name in ("__getitem__", "__setitem__"):
        count_calls(backend.array_type, name, by_mask)
    for name in SHAPED_BY_VALUES:
        count_calls(backend.xp, name)

    def waits_of_a_run(iterations):
        waits.clear()
        train(net_of(backend=backend), np.tile(X, (4, 1)), np.tile(T, 4), iterations=iterations, batch_size=1)
        return len(waits)

    assert waits_of_a_run(100) == waits_of_a_run(10) > 0


def test_labels_on_a_device_are_checked_once(monkeypatch):
    """Where values cannot be seen without waiting, `train` waits once, and single calls trust them."""
    net = net_of()
    monkeypatch.setattr(type(net.backend), "host_view", lambda self, array: None)
    wrong = np.full(50, 7)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.2, got 7\.\.7"):
        train(net, X, wrong, iterations=1)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"iterations": 1, "epochs": 1}, ValueError, "give iterations or epochs, not both"),
        ({"iterations": 0}, ValueError, "iterations must be at least 1, got 0"),
        ({"iterations": 1.5}, TypeError, "iterations must be an integer, got 1.5"),
        ({"epochs": -1}, ValueError, "epochs must be at least 1, got -1"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a finite number above 0, got 0"),
        ({"learning_rate": float("nan")}, ValueError, "learning_rate must be a finite number"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate must be a number, got 'fast'"),
        ({"evaluate_every": 0}, ValueError, "evaluate_every must be at least 1, got 0"),
        (
            {"evaluate_every": "often"},
            ValueError,
            'evaluate_every must be "epoch", a number of iterations or None',
        ),
        (
            {"optimizer": "adam"},
            TypeError,
            r"optimizer must be an Optimizer, such as Momentum\(0.1\), got 'adam'",
        ),
        (
            {"optimizer": SGD(0.1), "learning_rate": 0.1},
            ValueError,
            "give learning_rate or optimizer, not both",
        ),
        ({"callback": 3}, TypeError, "callback must be callable, got 3"),
        ({"x_test": X}, ValueError, "give both x_test and t_test, or neither"),
        ({"x_test": X, "t_test": T[:3]}, ValueError, "labels must have shape"),
        ({"x_test": X[:, :4], "t_test": T}, ValueError, "8 values per sample"),
    ],
)
def test_wrong_settings_change_nothing(options, error, words):
    net = net_of()
    before = net.params.flat.copy()
    with pytest.raises(error, match=words):
        train(net, X, T, **options)
    np.testing.assert_array_equal(net.params.flat, before)


def test_another_object_than_a_network():
    with pytest.raises(TypeError, match="net must be a backprop.networks.Network, got {}"):
        train({}, X, T)


def test_complex_samples():
    with pytest.raises(TypeError, match=r"train \(x_train, t_train\): x must be real"):
        train(net_of(), X + 0j, T)


def test_a_notebook_shows_the_history_in_a_line():
    history = train(net_of(), X, T, X, T, iterations=3, batch_size=5, rng=0)
    assert repr(history).startswith("<History of 3 iterations in ")
    assert repr(history).endswith(f"test accuracy {history.test_accuracy[-1]:.4f}>")
    assert repr(type(history)([1.0])) == "<History of 1 iteration in 0.0 s>"


def with_state(**options):
    layers = [Affine(5, weight_init_std=1.0), BatchNorm(), ReLU(), Affine(3, weight_init_std=1.0)]
    return Network(layers, SoftmaxCrossEntropy(), 8, 3, **{"rng": 0, "dtype": "float64", **options})


@pytest.mark.parametrize("make", [net_of, with_state])
@pytest.mark.parametrize("optimizer", [SGD, Momentum])
@pytest.mark.parametrize("parts", [(40, 1), (1, 1, 39), (7, 34)])
def test_training_in_parts_gives_the_bits_of_training_in_one_go(backend, make, optimizer, parts):
    """With one generator and one optimizer."""
    whole, pieces = make(), make()
    train(whole, X, T, iterations=41, batch_size=6, optimizer=optimizer(0.1), rng=np.random.default_rng(1))
    rng, continued = np.random.default_rng(1), optimizer(0.1)
    for iterations in parts:
        train(pieces, X, T, iterations=iterations, batch_size=6, optimizer=continued, rng=rng)
    np.testing.assert_array_equal(to_numpy(pieces.params.flat), to_numpy(whole.params.flat))
    for name, array in whole.state.items():
        np.testing.assert_array_equal(to_numpy(pieces.state[name]), to_numpy(array))


@pytest.mark.parametrize("optimizer", [SGD, Momentum])
def test_it_is_a_loop_by_hand_with_any_optimizer_and_with_state(backend, optimizer):
    net, by_hand, mine = with_state(), with_state(), optimizer(0.2)
    history = train(net, X, T, iterations=6, batch_size=10, optimizer=optimizer(0.2), rng=5)
    losses = []
    for batch in np.random.default_rng(5).integers(50, size=(6, 10)):
        losses.append(float(by_hand.loss(X[batch], T[batch], training=True)))
        mine.update(by_hand.params, by_hand.gradient(X[batch], T[batch]))
    assert history.loss == pytest.approx(losses, rel=1e-12)
    np.testing.assert_allclose(to_numpy(net.params.flat), to_numpy(by_hand.params.flat), rtol=1e-12)
    for name, array in net.state.items():
        np.testing.assert_allclose(to_numpy(array), to_numpy(by_hand.state[name]), rtol=1e-12)


def test_regression_is_learnt_and_has_no_accuracy(backend):
    net = Network([Affine(20, weight_init_std=1.0), Sigmoid(), Affine(1)], MeanSquaredError(), 1, 1, rng=0)
    x = np.linspace(-2.0, 2.0, 40).reshape(-1, 1)
    history = train(net, x, np.sin(x), x, np.sin(x), epochs=60, batch_size=10, optimizer=Momentum(0.1), rng=0)
    assert np.mean(history.loss[-20:]) < 0.1 * np.mean(history.loss[:20])
    assert history.train_accuracy == history.test_accuracy == [] and len(history.iterations) == 61


@pytest.mark.parametrize(
    ("every", "expected"),
    [("epoch", [0, 10, 20, 25]), (7, [0, 7, 14, 21, 25]), (25, [0, 25]), (100, [0, 25]), (None, [])],
)
def test_how_often_it_evaluates(every, expected):
    history = train(net_of(), X, T, X, T, iterations=25, batch_size=5, rng=0, evaluate_every=every)
    assert history.iterations == expected
    assert len(history.train_accuracy) == len(history.test_accuracy) == len(expected)
    assert history.loss == train(net_of(), X, T, iterations=25, batch_size=5, rng=0).loss


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loss_that_is_no_number_stops_it_with_the_iteration_and_the_cause(backend, dtype):
    """Without a warning on the way, and with what was recorded."""
    with pytest.raises(
        Diverged, match="train: training diverged: the loss of iteration .* learning rate, 1e.30"
    ):
        train(net_of(dtype=dtype), 10.0 * X, T, iterations=200, batch_size=10, learning_rate=1e30, rng=0)
    rng = np.random.default_rng(0)
    with pytest.raises(Diverged) as caught:
        train(net_of(dtype=dtype), 10.0 * X, T, iterations=200, batch_size=10, learning_rate=1e30, rng=rng)
    losses = caught.value.history.loss
    assert 1 <= len(losses) < 200 and np.isfinite(losses[:-1]).all() and not np.isfinite(losses[-1])
    assert f"iteration {len(losses)} is {losses[-1]}" in str(caught.value)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.history.loss[:-1]) == (str(caught.value), losses[:-1])


class Broken(Layer):
    def compute(self, xp, x):
        return x * float("nan"), ()

    def derive(self, xp, dout):
        return dout


def test_no_learning_rate_is_blamed_for_what_was_wrong_before_it_was_used(backend):
    net = net_of()
    net.params["b2"] = np.full(3, np.nan)
    before = to_numpy(net.params.flat).tobytes()
    with pytest.raises(ValueError, match="^train: b2 must be finite before the first iteration"):
        train(net, X, T, iterations=3, evaluate_every=None, rng=0)
    assert to_numpy(net.params.flat).tobytes() == before
    broken = Network([Affine(5), Broken(), Affine(3)], SoftmaxCrossEntropy(), 8, rng=0)
    with pytest.raises(Diverged, match="the loss of iteration 1 is nan; no update was made before it"):
        train(broken, X, T, iterations=3, rng=0)


def test_the_seconds_of_one_that_diverged_hold_its_last_iterations(monkeypatch):
    start = Trainer.start

    def slowly(self, batches):
        time.sleep(0.05)
        return start(self, batches)

    monkeypatch.setattr(Trainer, "start", slowly)
    with pytest.raises(Diverged) as caught:
        train(net_of(), X, T, iterations=50, learning_rate=1e30, evaluate_every=None)
    assert caught.value.history.seconds > 0.05


def test_a_last_update_that_ruins_the_parameters_is_told_as_well(backend):
    """No loss has shown it yet."""
    net = net_of(dtype="float64")
    with pytest.raises(Diverged, match="a parameter is no longer finite; .* learning rate, 1e.308: try 0.1"):
        train(net, 1e3 * X, T, iterations=1, batch_size=10, learning_rate=1e308, rng=0)


def test_a_learning_rate_that_float32_cannot_hold(backend):
    net = net_of()
    before = to_numpy(net.params.flat).copy()
    with pytest.raises(
        ValueError, match="learning_rate must be from 1.18e-38 to 3.4e.38 in float32, got 1e.300"
    ):
        train(net, X, T, iterations=1, learning_rate=1e300)
    np.testing.assert_array_equal(to_numpy(net.params.flat), before)


def test_the_order_of_data_in_memory_does_not_matter(backend):
    orders = [
        X.astype("float32"),
        np.asfortranarray(X, "float32"),
        np.repeat(X, 2, axis=0).astype("float32")[::2],
    ]
    losses = [train(net_of(), x, T, iterations=5, batch_size=10, rng=0).loss for x in orders]
    assert losses[0] == losses[1] == losses[2]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_data_that_is_not_finite_is_refused_with_its_place(backend, value):
    net, x = net_of(), X.copy()
    before = to_numpy(net.params.flat).copy()
    x[5, 3] = value
    for bad in (x, asarray(x, "float32")):
        with pytest.raises(
            ValueError, match=rf"train \(x_train, t_train\): x must be finite, got {value} at \[5, 3\]"
        ):
            train(net, bad, T, iterations=1)
        with pytest.raises(ValueError, match=r"train \(x_test, t_test\): x must be finite"):
            train(net, X, T, bad, T, iterations=1)
    np.testing.assert_array_equal(to_numpy(net.params.flat), before)


def test_an_accuracy_of_ones_own_is_what_is_recorded():
    class Proud(TwoLayerNet):
        def accuracy(self, x, t):
            return 1.0

    history = train(Proud(8, 5, 3, rng=0), X, T, iterations=2, batch_size=25, rng=0)
    assert history.train_accuracy == [1.0, 1.0]


@pytest.fixture
def blas_threads():
    """Return the number of threads of BLAS; two when the test begins."""
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def threads():
        pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
        return max((pool["num_threads"] for pool in pools), default=None)

    with threadpoolctl.threadpool_limits(2, "blas"):
        if threads() != 2:
            pytest.skip("this BLAS has one thread")
        yield threads


def watched(hidden, watch):
    """A network whose ReLU calls `watch` in every forward pass."""

    class Watched(ReLU):
        is_tried = True  # by the network, when that is made

        def forward(self, x, training=True):
            if not self.is_tried:
                watch()
            return super().forward(x, training)

    net = Network([Affine(hidden), Watched(), Affine(3)], SoftmaxCrossEntropy(), 8, 3, backend="numpy")
    net.layers["Watched1"].is_tried = False
    return net


def test_blas_takes_one_thread_while_it_trains_but_for_huge_products(blas_threads, monkeypatch):
    """Two would wait for each other; a callback has as many as before, and so has everybody afterwards."""
    inside, outside = [], []
    options = {"iterations": 1, "batch_size": 100, "callback": lambda history: outside.append(blas_threads())}
    train(watched(6, lambda: inside.append(blas_threads())), X, T, **options)
    assert set(inside) == {1} and set(outside) == {2}
    monkeypatch.setattr("backends.numpy.threads.HUGE", 100 * 8 * 7)
    train(watched(7, lambda: inside.append(blas_threads())), X, T, **options)
    assert inside[-1] == 2 and blas_threads() == 2


def test_trainings_that_overlap_in_threads_share_the_limit(blas_threads):
    """The second ends last: it still has one thread, and then there are as many as before the first."""
    both, first_is_done, seen = Barrier(2, timeout=60), Event(), []

    def first():
        train(watched(6, _once(both.wait)), X, T, iterations=1, batch_size=4)
        first_is_done.set()

    def second():
        def watch():
            both.wait()
            assert first_is_done.wait(60)
            seen.append(blas_threads())

        train(watched(6, _once(watch)), X, T, iterations=1, batch_size=4)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(first), pool.submit(second)]:
            future.result(60)
    assert seen == [1] and blas_threads() == 2


def test_a_callback_beside_another_training_stays_at_one_thread(blas_threads):
    begun, done, seen = Event(), Event(), []
    other = watched(6, _once(lambda: (begun.set(), done.wait(60))))
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(train, other, X, T, iterations=1, batch_size=4)
        assert begun.wait(60)
        callback = lambda history: seen.append(blas_threads())  # noqa: E731
        train(net_of(backend="numpy"), X, T, iterations=1, batch_size=4, callback=callback)
        done.set()
        future.result(60)
    assert set(seen) == {1} and blas_threads() == 2


def test_a_training_within_a_callback(blas_threads):
    seen = []

    def callback(history):
        seen.append(blas_threads())
        train(watched(6, lambda: seen.append(blas_threads())), X, T, iterations=1, batch_size=4)
        seen.append(blas_threads())

    train(net_of(backend="numpy"), X, T, iterations=1, batch_size=4, callback=callback)
    assert seen[0] == seen[-1] == 2 and set(seen[1:4]) == {1} and blas_threads() == 2


def _once(function):
    """A function that does it when first called."""
    calls = []
    return lambda: calls.append(1) or (function() if len(calls) == 1 else None)


def test_it_trains_without_threadpoolctl(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert len(train(net_of(), X, T, iterations=2, batch_size=4).loss) == 2
