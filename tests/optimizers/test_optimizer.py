"""The contract of all optimizers: their parameters, a rate that may change, copies, a user's own formula."""

import copy
import itertools
import pickle
from functools import partial
from threading import Thread

import numpy as np
import pytest

from backends import asarray, to_numpy, use_backend
from backends.numpy.blocks import BLOCK
from backprop import TwoLayerNet, train
from backprop.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp, Setting
from backprop.training import Trainer

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


KINDS = (SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam, AdamW)


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


@pytest.mark.parametrize(
    "kind",
    [*KINDS, Lion, partial(Adam, weight_decay=0.5, clip=0.3), partial(AdamW, weight_decay=0.5, clip=0.3)],
)
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


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.deepcopy,
        lambda pair: pickle.loads(pickle.dumps(pair)),
        lambda pair: (copy.deepcopy(pair[0]), copy.copy(pair[1])),
    ],
)
@pytest.mark.parametrize("kind", [Momentum, partial(Adam, weight_decay=0.1, decayed=["W1", "b2"], clip=0.5)])
def test_a_copy_goes_on_with_the_state_that_it_had(backend, duplicate, kind):
    net, optimizer = net_of(), kind(0.1)
    optimizer.update(net.params, net.gradient(X, T))
    twin, copied = duplicate((net, optimizer))
    for each, of in ((optimizer, net), (copied, twin)):
        each.update(of.params, of.gradient(X, T))
    np.testing.assert_array_equal(to_numpy(twin.params.flat), to_numpy(net.params.flat))
    np.testing.assert_array_equal(to_numpy(copied.state.flat), to_numpy(optimizer.state.flat))
    assert (copied.decayed, copied.clip) == (optimizer.decayed, optimizer.clip)
    with pytest.raises(ValueError, match="its state, <Arrays [vm] .*>, belongs to other parameters"):
        copied = copy.deepcopy(optimizer)
        copied._chosen = "weights"
        copied.update({"w": asarray(np.ones(3))}, {"w": asarray(np.ones(3))})


def test_the_gradients_are_left_alone(backend):
    for kind in (*KINDS, partial(AdamW, clip=0.1), partial(SGD, weight_decay=0.1, clip=0.1)):
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


def test_a_copy_moves_to_another_backend_and_dtype_with_its_state(backend):
    net, optimizer = net_of(), Adam(0.1)
    optimizer.update(net.params, net.gradient(X, T))
    other = TwoLayerNet(4, 3, 2, dtype="float32", rng=0, backend="numpy")
    copied, before = copy.deepcopy(optimizer), to_numpy(optimizer.state.flat).copy()
    copied.update(other.params, {name: np.zeros(each.shape) for name, each in other.params.items()})
    assert copied.state.flat.dtype == "float32" and copied.state["t"] == 2.0
    np.testing.assert_allclose(copied.state["m"], 0.9 * before[: other.params.flat.size], rtol=1e-6)
    np.testing.assert_array_equal(to_numpy(optimizer.state.flat), before)


class TestSettings:
    def test_a_momentum_that_changes_in_training(self, backend):
        """Every step has that of its time, in a loop of train and in one's own."""
        net, optimizer, by_hand, mine = net_of(), Nesterov(0.1), net_of(), Nesterov(0.1)

        def lower(history):
            optimizer.momentum = optimizer.momentum / 2

        train(net, X, T, iterations=3, batch_size=20, optimizer=optimizer, rng=3, callback=lower)
        for batch in np.random.default_rng(3).integers(20, size=(3, 20)):
            mine.momentum /= 2
            mine.update(by_hand.params, by_hand.gradient(X[batch], T[batch]))
        assert (optimizer.momentum, mine.momentum) == (0.9 / 16, 0.9 / 8)
        np.testing.assert_allclose(to_numpy(net.params.flat), to_numpy(by_hand.params.flat), rtol=1e-13)

    def test_a_loop_may_give_its_own(self, backend):
        """As arrays; those of the optimizer are not read then."""
        net, other, g = net_of(), net_of(), RNG.normal(size=net_of().params.flat.shape)
        for each, rate, momentum in ((net, 0.25, 0.5), (other, 3.0, 0.25)):
            optimizer = Momentum(rate, momentum)
            optimizer.bind(each.params)
            settings = [asarray(np.array(value)) for value in (0.25, 0.5)]
            optimizer.move(each.params, each.params.like(asarray(g)), settings)
        np.testing.assert_array_equal(to_numpy(net.params.flat), to_numpy(other.params.flat))

    def test_decay_and_clip_that_change_between_updates(self, backend):
        params, g = {"W": asarray(np.ones((1, 2)))}, {"W": asarray(np.array([[3.0, 4.0]]))}
        optimizer, path = SGD(0.5), []
        for decay, clip in ((0.0, None), (0.5, None), (1.0, None), (0.0, 2.5), (0.0, 10.0), (0.0, None)):
            optimizer.weight_decay, optimizer.clip = decay, clip
            params["W"][...] = 1.0
            optimizer.update(params, g)
            path.append(to_numpy(params["W"])[0].tolist())
        plain = [1 - 1.5, 1 - 2.0]
        assert path == [plain, [-0.75, -1.25], [-1.0, -1.5], [0.25, 0.0], plain, plain]

    def test_they_become_python_floats(self):
        optimizer = Adam(
            np.float32(0.5), np.float32(0.5), eps=np.float64(1.0), clip=np.int64(2), weight_decay=1
        )
        values = vars(optimizer).values()
        assert {type(value) for value in values} == {float, str} and optimizer.clip == 2.0
        assert repr(optimizer) == "<Adam, learning_rate 0.5, weight_decay 1, clip 2>"
        assert repr(Momentum()) == "<Momentum, learning_rate 0.01, momentum 0.9>"


class TestDecayed:
    """The parameters that decay."""

    @pytest.mark.parametrize(
        ("decayed", "names"),
        [
            ("weights", "W betas"),
            ("all", "W b g gamma1 betas"),
            (["b", "b"], "b"),
            (("W", "g"), "W g"),
            ({"g"}, "g"),
            ({"W": 0, "g": 1}.keys(), "W g"),
        ],
    )
    @pytest.mark.parametrize("kind", [SGD, AdamW])
    def test_which(self, backend, kind, decayed, names):
        shapes = {"W": (2, 3), "b": (3,), "g": (3,), "gamma1": (2, 3), "betas": (2, 3)}
        params = {name: asarray(np.ones(shape)) for name, shape in shapes.items()}
        zeros = {name: asarray(np.zeros(shape)) for name, shape in shapes.items()}
        kind(0.5, weight_decay=0.5, decayed=decayed).update(params, zeros)
        expected = {name: 0.75 if name in names.split() else 1.0 for name in shapes}
        assert {name: float(to_numpy(array).mean()) for name, array in params.items()} == expected

    def test_a_name_that_does_not_exist_changes_nothing(self, backend):
        net, optimizer = net_of(), Adam(0.1, weight_decay=0.1, decayed=["W1", "W3"])
        before = net.params.copy()
        rule = "decayed must name parameters, got 'W3'; the names are W1, b1, W2, b2"
        with pytest.raises(ValueError, match=f"^Adam: {rule}$"):
            optimizer.update(net.params, net.gradient(X, T))
        with pytest.raises(ValueError, match="Adam: decayed must name"):
            train(net, X, T, iterations=1, optimizer=optimizer)
        assert net.params == before and optimizer.state is None
        with pytest.raises(ValueError, match="got 'w2'; did you mean W2[?]$"):
            SGD(0.1, decayed=["w2"]).update(net.params, net.params)

    @pytest.mark.parametrize(
        ("decayed", "error"),
        [
            ("W1", ValueError),
            ([], ValueError),
            ([1], TypeError),
            (1, TypeError),
            ({"W1": 0.1}, TypeError),
            (itertools.repeat("W1"), TypeError),
        ],
    )
    def test_what_names_nothing(self, decayed, error):
        with pytest.raises(error, match='^SGD: decayed must be "weights", "all" or a list of names, such as'):
            SGD(0.1, decayed=decayed)


class TestOwnClass:
    """An optimizer of a user's own, with what every optimizer has."""

    class Scaled(Optimizer):
        settings = ("learning_rate", "scale")
        scale = Setting("The scale.")

        def __init__(self, learning_rate, scale, **options):
            super().__init__(learning_rate, **options)
            self.scale = scale

        def compute(self, xp, w, g, rate, scale):
            return w - rate * scale * g, ()

    @pytest.mark.parametrize("decoupled", [False, True])
    def test_it_clips_and_decays(self, backend, decoupled):
        kind = type("Own", (self.Scaled,), {"decoupled": decoupled})
        params, g = {"W": asarray(np.ones((1, 2)))}, {"W": asarray(np.array([[3.0, 4.0]]))}
        kind(0.5, 2.0, weight_decay=0.5, clip=2.5).update(params, g)
        expected = [0.75 - 1.5, 0.75 - 2.0] if decoupled else [1 - 2.0, 1 - 2.5]
        assert to_numpy(params["W"])[0].tolist() == expected

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            (("learning_rate", "shift"), r'shift is in settings: define shift = Setting\("…"\)'),
            (("scale",), 'settings must be a tuple of names that begins with "learning_rate", got .*scale'),
            ("learning_rate", "settings must be a tuple of names"),
        ],
    )
    def test_settings_that_are_not_declared(self, settings, words):
        kind, params = type("Own", (self.Scaled,), {"settings": settings}), {"W": np.ones((1, 2))}
        with pytest.raises(TypeError, match=f"^Own: {words}"):
            kind(0.5, 2.0).update(params, params)
        np.testing.assert_array_equal(params["W"], 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_needs_no_memory_of_the_size_of_the_parameters(kind):
    """Beside the state: the gradients' own memory is worked in, and one block more."""
    net = TwoLayerNet(784, 800, 10, dtype="float32", rng=0, backend="numpy")
    x, optimizer = np.ones((2, 784), "float32"), kind(0.1, weight_decay=0.1, clip=0.1)
    trainer = Trainer(net, optimizer, *net.prepare("test", x, [0, 1]), batch_size=2)
    trainer.start([[0, 1]])()
    arrays = [each for each in optimizer._binding.memory.values() if each is not trainer.grads.flat]
    assert net.params.flat.nbytes > 4 * BLOCK and sum(each.nbytes for each in arrays) <= 2 * BLOCK


def test_two_threads_train_two_networks(backend):
    """And find what each finds alone."""

    def trained(seed):
        net = net_of(seed)
        train(net, X, T, iterations=10, batch_size=5, optimizer=AdamW(0.01, clip=0.5), rng=seed)
        return to_numpy(net.params.flat).tobytes()

    alone, together = [trained(seed) for seed in range(2)], {}

    def run(seed):
        with use_backend(backend):
            together[seed] = trained(seed)

    threads = [Thread(target=run, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[seed] for seed in range(2)] == alone


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [AdaGrad, RMSProp, Adam])
def test_the_smallest_eps_keeps_a_parameter_without_gradient_where_it_is(backend, kind, dtype):
    """On a GPU a smaller one would be 0 in float32, so it is refused."""
    params, grads = ({"W": asarray(np.array([[a, 1.0]], dtype))} for a in (1.0, 0.0))
    smallest = float(np.finfo(dtype).smallest_normal)
    kind(0.5, eps=smallest).update(params, grads)
    w = to_numpy(params["W"])[0]
    assert w[0] == 1.0 and w[1] < 1.0
    for name in ("eps", "learning_rate", "clip", "weight_decay"):
        optimizer = kind(**{"learning_rate": 0.5, name: smallest / 2})
        with pytest.raises(
            ValueError, match=rf"^{kind.__name__}: {name} must be from .* to .* in {dtype}, got"
        ):
            optimizer.update(params, grads)
    np.testing.assert_array_equal(to_numpy(params["W"])[0], w)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reset_optimizer_moves_as_a_new_one(backend, kind):
    def moved(optimizer, net, count):
        for _ in range(count):
            optimizer.update(net.params, net.gradient(X, T))
        return to_numpy(net.params.flat).tobytes()

    optimizer, net = kind(0.1), net_of(0)
    optimizer.reset()  # before the first update there is nothing to reset
    moved(optimizer, net, 3)
    net.params.flat = net_of(1).params.flat
    optimizer.learning_rate = 0.05  # a setting, which stays
    optimizer.reset()
    assert all(not to_numpy(array).any() for array in optimizer.arrays)
    new = kind(0.05)
    assert moved(optimizer, net, 3) == moved(new, net_of(1), 3)
