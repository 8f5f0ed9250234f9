"""A chain of any layers: names, a first layer of any kind, what is refused when it is made."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

from backends import asarray, backend_of, dtype_name, to_numpy
from backprop import TwoLayerNet, check_gradients
from backprop.layers import Affine, BatchNorm, Layer, ReLU, Sigmoid
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks import Network

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(4, 3)), [0, 1, 1, 0]


def affine(n_in, n_out, **options):
    return Affine.create(n_in, n_out, **{"weight_init_std": 1.0, "rng": n_in, **options})


def affine_net():
    return Network({"A": Affine.create(3, 2, rng=0)}, SoftmaxCrossEntropy(), input_size=3, output_size=2)


def with_state(**options):
    layers = [Affine(5, weight_init_std=1.0), BatchNorm(), ReLU(), Affine(2, weight_init_std=1.0)]
    return Network(layers, SoftmaxCrossEntropy(), 3, 2, **{"rng": 0, "dtype": "float64", **options})


# ------------------------------------------------------------------------------------------------- what it is


def test_three_affine_layers_behind_an_activation(backend):
    layers = {"first": Sigmoid(), "A": affine(3, 6), "B": ReLU(), "C": affine(6, 5), "D": affine(5, 2)}
    net = Network(layers, SoftmaxCrossEntropy(), input_size=3, output_size=2)
    assert list(net.params) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    check_gradients(net, X, T, mode="full").assert_ok()
    without, withal = net.gradient(X, T), net.gradient(X, T, input_gradient=True)
    assert withal.keys() - without.keys() == {"x"}
    np.testing.assert_array_equal(to_numpy(without["W1"]), to_numpy(withal["W1"]))


def test_a_list_of_layers_without_arrays(backend):
    """The network names them, and makes what they need from one seed."""
    layers = [Affine(5), BatchNorm(), ReLU(), Affine(4), ReLU(), Affine(2)]
    net = Network(layers, SoftmaxCrossEntropy(), 3, rng=0, dtype="float64")
    assert list(net.layers) == ["Affine1", "BatchNorm1", "ReLU1", "Affine2", "ReLU2", "Affine3"]
    names = ["W1", "b1", "gamma1", "beta1", "W2", "b2", "W3", "b3"]
    assert list(net.params) == names and list(net.state) == ["running_mean1", "running_var1"]
    assert (net.input_size, net.output_size, dtype_name(net.dtype)) == (3, 2, "float64")
    rng = np.random.default_rng(0)
    for name, shape, variance in (("W1", (3, 5), 2 / 3), ("W2", (5, 4), 2 / 5), ("W3", (4, 2), 1 / 4)):
        np.testing.assert_array_equal(to_numpy(net.params[name]), variance**0.5 * rng.standard_normal(shape))


def test_layers_and_owners_cannot_be_replaced():
    net = affine_net()
    with pytest.raises(TypeError, match="does not support item assignment"):
        net.layers["A"] = Affine.create(3, 2)
    for name in ("layers", "params", "state"):
        with pytest.raises(AttributeError, match=name):
            setattr(net, name, {})


def test_samples_take_the_shape_that_the_network_was_made_for(backend):
    class Channels(Layer):
        def compute(self, xp, x):
            assert x.shape[1:] == (2, 3)
            return xp.sum(x, axis=1), (x.shape,)

        def derive(self, xp, dout, shape):
            return xp.broadcast_to(dout[:, None, :], shape)

    net = Network([Channels(), Affine(2)], SoftmaxCrossEntropy(), (2, 3), 2, rng=0, dtype="float64")
    images = RNG.normal(size=(4, 2, 3))
    assert net.input_size == 6
    np.testing.assert_array_equal(to_numpy(net.predict(images.reshape(4, 6))), to_numpy(net.predict(images)))
    assert net.gradient(images.reshape(4, 6), T, input_gradient=True)["x"].shape == (4, 6)
    check_gradients(net, images, T).assert_ok()


def test_a_loss_of_another_kind(backend):
    net = Network([Affine(4), Sigmoid(), Affine(2)], MeanSquaredError(), 3, 2, rng=0, dtype="float64")
    targets = RNG.normal(size=(4, 2))
    expected = 0.5 * ((to_numpy(net.predict(X)) - targets) ** 2).sum() / 4
    assert float(net.loss(X, targets)) == pytest.approx(expected, rel=1e-14)
    check_gradients(net, X, targets, mode="full").assert_ok()
    with pytest.raises(TypeError, match="Network.accuracy: MeanSquaredError does not define which samples"):
        net.accuracy(X, targets)
    with pytest.raises(
        ValueError, match=r"Network.loss: targets must have the shape of the outputs, \(4, 2\)"
    ):
        net.loss(X, T)


# -------------------------------------------------------------------------- what is refused when it is made


class Half:
    def forward(self, x):
        return x


@pytest.mark.parametrize(
    ("layers", "options", "error", "words"),
    [
        (dict, {}, ValueError, "layers must hold at least one layer, got none"),
        (list, {}, ValueError, "layers must hold at least one layer, got none"),
        (lambda: 3, {}, TypeError, "layers must be a dict by name or a list, got int"),
        (lambda: "ReLU", {}, TypeError, "layers must be a dict by name or a list, got str"),
        (lambda: {"r": ReLU()}, {}, ValueError, "no layer has parameters, so there is nothing to train"),
        (lambda: [affine(3, 2), ReLU], {}, TypeError, r"layer ReLU1 must be an object, not its"),
        (lambda: [affine(3, 2), None], {}, TypeError, "must have forward .* got None without forward"),
        (lambda: [Half()], {}, TypeError, "layer Half1 must have forward and backward, .* without backward"),
        (lambda: [affine(3, 2)], {"loss": None}, TypeError, "loss must have forward and backward, as"),
        (lambda: [affine(3, 2)], {"loss": SoftmaxCrossEntropy}, TypeError, "loss must be an object, not"),
        (lambda: [affine(4, 2)], {}, ValueError, r"Affine\(4, 2\), does not fit after the input, .* \(3,\)"),
        (
            lambda: [affine(3, 5), affine(4, 2)],
            {},
            ValueError,
            r"Affine2, Affine\(4, 2\), does not fit after Affine1, which returns \(5,\) per sample: .* 4 val",
        ),
        (lambda: [affine(3, 3)], {}, ValueError, "output_size is 2, but Affine1 returns 3 values per sample"),
        (lambda: [affine(3, 2)], {"input_size": -1}, ValueError, "input_size must be at least 1, got -1"),
        (lambda: [affine(3, 2)], {"input_size": 2.5}, TypeError, "input_size must be an integer, got 2.5"),
        (
            lambda: [affine(3, 2, dtype="float32"), affine(2, 2, dtype="float64")],
            {},
            TypeError,
            "parameters must have one dtype, float32, but W of Affine2 is float64",
        ),
        (
            lambda: [affine(3, 2, dtype="float32")],
            {"dtype": "float64"},
            TypeError,
            "parameters must have one dtype, float64, but W of Affine1 is float32",
        ),
        (lambda: [Affine(asarray(np.ones((3, 2)), "float16"), asarray(np.ones(2), "float16"))],
         {"backend": "numpy"}, TypeError, "W must hold float32 or float64, got float16"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_clear_error(layers, options, error, words):
    options = {"loss": SoftmaxCrossEntropy(), "input_size": 3, "output_size": 2, **options}
    with pytest.raises(error, match=rf"^(Network: )?.*{words}"):
        Network(layers(), **options)


def test_a_refused_network_leaves_its_layers_as_they_were():
    layers = [Affine(5), BatchNorm(), affine(4, 2, dtype="float32")]
    with pytest.raises(ValueError, match="does not fit"):
        Network(layers, SoftmaxCrossEntropy(), 3, 2)
    assert repr(layers) == "[Affine(5), BatchNorm(), Affine(4, 2)]"
    net = Network(layers[:2], SoftmaxCrossEntropy(), 3, rng=0)  # they belong to nobody
    assert list(net.params) == ["W1", "b1", "gamma1", "beta1"]


def test_a_layer_belongs_to_one_place_in_one_network():
    relu, net = ReLU(), affine_net()
    with pytest.raises(
        ValueError, match=r"Network: one and two are one object, ReLU\(\); create a layer for each place"
    ):
        Network({"A": affine(3, 2), "one": relu, "two": relu}, SoftmaxCrossEntropy(), 3, 2)
    with pytest.raises(
        ValueError, match=r"Network: mine, Affine\(3, 2\), already belongs to a network; give each"
    ):
        Network({"mine": net.layers["A"]}, SoftmaxCrossEntropy(), input_size=3, output_size=2)
    layers = dict(copy.deepcopy(net).layers)
    assert Network(layers, SoftmaxCrossEntropy(), 3, 2) is not None  # whose network is gone


# --------------------------------------------------------------------------------------------------- copies


def test_a_shallow_copy_leaves_the_original_whole():
    net = with_state()
    before = float(net.loss(X, T))
    shallow = copy.copy(net)
    assert float(shallow.loss(X, T)) == before
    shallow.params["W1"] += 1.0  # which they share
    assert float(net.loss(X, T)) == float(shallow.loss(X, T)) != before
    del shallow
    net.params["W1"] -= 1.0
    assert float(net.loss(X, T)) == pytest.approx(before, rel=1e-14)
    assert net.layers["Affine1"].params["W"] is net.params["W1"]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_have_a_state_of_their_own(backend, duplicate):
    net = with_state()
    net.gradient(X, T)
    twin = duplicate(net)
    before = to_numpy(net.state["running_mean1"]).copy()
    np.testing.assert_array_equal(to_numpy(twin.state["running_mean1"]), before)
    twin.gradient(X, T)
    assert (to_numpy(twin.state["running_mean1"]) != before).all()
    np.testing.assert_array_equal(to_numpy(net.state["running_mean1"]), before)


def test_state_goes_along_to_another_dtype_and_backend(backend):
    net = with_state(backend="numpy")
    net.gradient(X, T)
    moved = net.to(backend).astype("float32")
    state = moved.state["running_var1"]
    assert (backend_of(state), dtype_name(state.dtype)) == (backend, "float32")
    np.testing.assert_allclose(to_numpy(state), net.state["running_var1"], rtol=1e-6)
    np.testing.assert_allclose(to_numpy(moved.predict(X)), net.predict(X), rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------------------------------------------- state


def test_gradient_moves_the_state_and_nothing_else_does(backend):
    net = with_state()
    values = lambda: {name: to_numpy(array).copy() for name, array in net.state.items()}  # noqa: E731
    before = values()
    for unmoved in (
        lambda: net.loss(X, T),
        lambda: net.loss(X, T, training=True),
        lambda: net.predict(X),
        lambda: net.accuracy(X, T),
        lambda: net.numerical_gradient(X, T),
        lambda: net.numerical_gradient(X, T, method="complex"),
        lambda: check_gradients(net, X, T, mode="full").assert_ok(),
    ):
        unmoved()
        for name, array in values().items():
            np.testing.assert_array_equal(array, before[name])
    net.gradient(X, T)
    z = X @ to_numpy(net.params["W1"]) + to_numpy(net.params["b1"])
    np.testing.assert_allclose(values()["running_mean1"], 0.1 * z.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(values()["running_var1"], 0.9 + 0.1 * z.var(axis=0), rtol=1e-12)


def test_the_gradient_is_that_of_the_loss_in_training(backend):
    net = with_state()
    gradient = net.gradient(X, T)
    for name, exact in net.numerical_gradient(X, T, method="complex").items():
        np.testing.assert_allclose(to_numpy(gradient[name]), to_numpy(exact), rtol=1e-10, atol=1e-15)
    assert float(net.loss(X, T, training=True)) != float(net.loss(X, T))


def test_a_call_that_fails_behind_it_moves_no_state(backend):
    class Late(Layer):
        fails = False

        def compute(self, xp, x):
            return x, ()

        def derive(self, xp, dout):
            if self.fails:
                raise ZeroDivisionError("late")
            return dout

    late = Late()
    layers = [late, Affine(5, weight_init_std=1.0), BatchNorm(), Affine(2)]
    net = Network(layers, SoftmaxCrossEntropy(), 3, 2, rng=0, dtype="float64")
    before = {name: to_numpy(array).copy() for name, array in net.state.items()}
    late.fails = True
    with pytest.raises(ZeroDivisionError):
        net.gradient(X, T)
    for bad in (lambda: net.gradient(X, [0, 1, 1, 9]), lambda: net.gradient(np.full((4, 3), np.nan), T)):
        with pytest.raises(ValueError, match="Network.gradient: "):
            bad()
    for name, array in before.items():
        np.testing.assert_array_equal(to_numpy(net.state[name]), array)


def test_a_layer_of_two_states_moves_both_or_none(backend):
    class Two(Layer):
        def compute(self, xp, x, a, b):
            return x, (), (a + 1.0,) if a.shape == (1,) else ()

        def derive(self, xp, dout):
            return dout

    two = Two(state={"a": asarray([0.0]), "b": asarray([0.0])})
    with pytest.raises(
        ValueError, match=r"Two.compute: the new state must have the shapes of the state, \[\(1,\)"
    ):
        two.forward(asarray(X))
    assert float(two.state["a"][0]) == 0.0


def test_integer_state_takes_integers_and_only_among_integers(backend):
    class Count(Layer):
        def initial(self, shape, rng):
            return {}, {"n": np.array([0]), "m": self.m}

        def compute(self, xp, x, n, m):
            return x, (), (xp.astype(n, x.dtype) if self.fails else n + 2, m)

        def derive(self, xp, dout):
            return dout

    count, mixed = Count(), Count()
    count.fails, count.m, mixed.m = True, np.array([1]), np.array([1.0])
    count.build((3,))
    with pytest.raises(TypeError, match="Count.compute: the new state must hold integers, .*float"):
        count.forward(asarray(X))
    count.fails = False
    count.forward(asarray(X))
    assert to_numpy(count.state["n"]).tolist() == [2]
    with pytest.raises(TypeError, match=r"Count.build: n and m must have one dtype, got \S*int64 and "):
        mixed.build((3,))


def test_state_takes_the_dtype_of_the_network(backend):
    class Centre(Layer):
        def compute(self, xp, x, mean):
            now = xp.mean(x, axis=0)
            return x - now, (), (0.9 * mean + 0.1 * now,)

        def derive(self, xp, dout):
            return dout - xp.mean(dout, axis=0)

        def evaluate(self, xp, x, mean):
            return x - mean

    layers = [Affine(8), Centre(state={"mean": asarray(np.zeros(8))}), Affine(2)]
    net = Network(layers, SoftmaxCrossEntropy(), 3, rng=0, dtype="float32")
    net.gradient(X, T)
    assert dtype_name(net.state["mean1"].dtype) == dtype_name(net.predict(X).dtype) == "float32"


def test_an_evaluation_of_its_own_does_not_swallow_what_comes_behind(backend):
    class Evaluates(Affine):
        def evaluate(self, xp, x, W, b):
            return x @ W + b

    def net_of(kind):
        layers = [kind(6, weight_init_std=1.0), ReLU(), kind(2, weight_init_std=1.0)]
        return Network(layers, SoftmaxCrossEntropy(), 3, rng=0, dtype="float64")

    mine, usual = net_of(Evaluates), net_of(Affine)
    np.testing.assert_allclose(to_numpy(mine.predict(X)), to_numpy(usual.predict(X)), rtol=1e-14)
    assert float(mine.loss(X, T)) == pytest.approx(float(usual.loss(X, T)), rel=1e-14)


def test_another_loss_and_a_later_evaluation_are_seen():
    net = Network([Affine(6), ReLU(), Affine(3)], SoftmaxCrossEntropy(), 3, rng=0, backend="numpy")
    net.loss(X, T), net.predict(X)
    shallow = copy.copy(net)
    shallow.loss_layer = MeanSquaredError()
    targets = np.ones((4, 3))
    expected = 0.5 * ((net.predict(X) - targets) ** 2).sum() / 4
    assert float(shallow.loss(X, targets)) == pytest.approx(expected, rel=1e-6)
    assert 0.5 < float(net.loss(X, T)) < 2.0
    net.layers["ReLU1"].evaluate = lambda xp, x: x * 0.0
    np.testing.assert_array_equal(net.predict(X), np.broadcast_to(net.params["b2"], (4, 3)))


@pytest.mark.parametrize("kind", ["int32", "int64", "uint8", "bool", "float64"])
def test_targets_of_any_real_kind_in_a_float32_network(backend, kind):
    net = Network([Affine(2)], MeanSquaredError(), 3, rng=0, dtype="float32")
    targets = np.array([[0, 1], [1, 1], [1, 0], [0, 0]]).astype(kind)
    assert dtype_name(net.loss(X, targets).dtype) == "float32"
    assert {dtype_name(array.dtype) for array in net.gradient(X, targets).values()} == {"float32"}
    for wrong, error, words in [
        (targets * 1j, TypeError, "targets must be real"),
        (targets * 1e300, ValueError, "targets must fit in float32, got 1e.300"),
    ]:
        with pytest.raises(error, match=f"Network.gradient: {words}"):
            net.gradient(X, wrong)


def test_arrays_in_two_places_and_scores_that_the_loss_cannot_take_are_refused():
    W, b, other = (np.ones(shape) for shape in ((3, 3), (3,), (3,)))
    with pytest.raises(ValueError, match="W of A and W of B are the same array; copy it"):
        Network({"A": Affine(W, b), "B": Affine(W, other)}, SoftmaxCrossEntropy(), 3)
    with pytest.raises(ValueError, match=r"logits must have shape \(N, C\) .* got \(2, 2, 3\)"):
        Network([BatchNorm()], SoftmaxCrossEntropy(), (2, 3), backend="numpy")


def test_a_refused_network_leaves_random_numbers_as_they_were():
    rng = np.random.default_rng(0)
    before, legacy = rng.bit_generator.state, np.random.get_state()[1].tolist()
    with pytest.raises(ValueError, match="output_size is 7"):
        Network([Affine(5), Affine(2)], SoftmaxCrossEntropy(), 3, 7, rng=rng)
    assert rng.bit_generator.state == before and np.random.get_state()[1].tolist() == legacy


def test_networks_and_formulas_are_freed():
    """By their reference counts alone; no table holds on to them."""

    def make():
        class Mine(ReLU):
            def compute(self, xp, x):
                return super().compute(xp, x)

        net = Network([Affine(3), Mine(), Affine(2)], SoftmaxCrossEntropy(), 3, rng=0, backend="numpy")
        net.gradient(X, T), net.predict(X), net.accuracy(X, T)
        return weakref.ref(net), weakref.ref(net.params.flat), weakref.ref(Mine)

    net, flat, mine = make()
    assert net() is None and flat() is None
    gc.collect()  # a class is part of a reference cycle
    assert mine() is None


def test_a_layer_keeps_its_twins_as_long_as_nobody_replaces_a_pass(monkeypatch):
    net = TwoLayerNet(3, 5, 2, rng=0, dtype="float64", backend="numpy")
    before = net.gradient(X, T)
    relu = net.layers["ReLU1"]
    monkeypatch.setattr(relu, "backward", lambda dout: type(relu).backward(relu, dout) * 0.5)
    halved = net.gradient(X, T)
    np.testing.assert_array_equal(halved["W1"], 0.5 * before["W1"])
    np.testing.assert_array_equal(halved["W2"], before["W2"])
    monkeypatch.undo()
    np.testing.assert_array_equal(net.gradient(X, T)["W1"], before["W1"])
    monkeypatch.setattr(ReLU, "derive", lambda self, xp, dout, out: dout)
    assert (net.gradient(X, T)["W1"] != before["W1"]).any()


# -------------------------------------------------------------------------------------------------- threads


class Kept:
    """A layer with its own passes, which stores its input as an attribute."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return 2.0 * self.x * dout


@pytest.mark.parametrize(
    "make",
    [
        lambda: TwoLayerNet(3, 20, 2, rng=0, dtype="float64", backend="numpy"),
        lambda: with_state(backend="numpy"),
        lambda: Network(
            [Kept(), Affine(2)], SoftmaxCrossEntropy(), 3, 2, rng=0, dtype="float64", backend="numpy"
        ),
    ],
    ids=["TwoLayerNet", "with state", "passes of its own"],
)
def test_gradients_of_one_network_from_two_threads(make):
    """500 times each: every result is right."""
    net, wrong = make(), []
    batches = [(RNG.normal(size=(50, 3)), RNG.integers(2, size=50)) for _ in range(2)]
    expected = [net.gradient(*batch) for batch in batches]
    accuracies = [net.accuracy(*batch) for batch in batches]
    has_state = bool(net.state)

    def work(i):
        try:
            for _ in range(500):
                gradient = net.gradient(*batches[i])
                if any((gradient[name] != array).any() for name, array in expected[i].items()):
                    wrong.append(i)
                if not has_state and net.accuracy(*batches[i]) != accuracies[i]:
                    wrong.append(i)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_state_from_two_threads_is_never_half_of_one_pass():
    """Mean and variance always belong to one batch: of these two, to (1, 0) or (3, 4), mixed as a whole."""
    layers = [BatchNorm(momentum=0.0), Affine(2)]
    net = Network(layers, SoftmaxCrossEntropy(), 200, 2, rng=0, dtype="float64", backend="numpy")
    one, two = np.ones((2, 200)), np.array([[1.0] * 200, [5.0] * 200])
    seen, done = set(), threading.Event()

    def work(x):
        for _ in range(300):
            net.gradient(x, [0, 1])

    def watch():
        while not done.is_set():
            with net._lock:
                state = [net.state[name] for name in ("running_mean1", "running_var1")]
                seen.add(tuple(float(v) for array in state for v in (array.min(), array.max())))

    threads = [threading.Thread(target=work, args=(x,)) for x in (one, two)]
    watcher = threading.Thread(target=watch)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()
    assert seen <= {(0.0, 0.0, 1.0, 1.0), (1.0, 1.0, 0.0, 0.0), (3.0, 3.0, 4.0, 4.0)}


# --------------------------------------------------------------------------------------------------- others


def test_complex_samples_are_for_the_loss_alone(backend):
    net = affine_net()
    assert "complex" in str(net.loss(X + 0j, T).dtype)
    for method in ("gradient", "numerical_gradient"):
        with pytest.raises(TypeError, match=rf"Network\.{method}: x must be real, got .*complex128"):
            getattr(net, method)(X + 0j, T)


def test_gradients_are_never_written_again(backend):
    net = affine_net()
    kept = net.gradient(X, T)
    before = {name: to_numpy(array).copy() for name, array in kept.items()}
    layer = net.layers["A"]
    layer.forward(net.backend.asarray(X, "float32"))
    layer.backward(net.backend.asarray(np.ones((4, 2)), "float32"))
    net.gradient(2.0 * X, T)
    for name, values in before.items():
        np.testing.assert_array_equal(to_numpy(kept[name]), values)
