"""Dropout: which values it drops, when its masks change, and what divides a batch without changing them."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import check_gradients, train
from backprop.layers import Affine, Dropout, Layer, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(12, 5)), RNG.integers(3, size=12)
FEW = X[:4, :2], T[:4]  # for the small network, where every entry of the parameters is perturbed
SEED, PASSES, ROW = 2**64 - 12345, 2**40 + 3, 2**33 + 5


def layer_of(width, ratio=0.5, **state):
    """Return a layer with this state for samples of that many values."""
    layer = Dropout(ratio)
    layer.build((width,), rng=0)
    for name, value in state.items():
        layer.state[name] = np.array([value], "uint64")
    return layer


def state_of(layer):
    return [int(to_numpy(layer.state[name])[0]) for name in ("seed", "passes", "first_row")]


def numbers(shape, seed, passes, first_row):
    """Return the random numbers of a batch as the docstring defines them, by NumPy's own generator."""
    width = prod(shape[1:])
    blocks = -(-width // 8)
    start = np.array([first_row * blocks, passes, 0, 0], "uint64")
    words = np.random.Philox(key=np.array([seed, 0], "uint64"), counter=start).random_raw(
        shape[0] * blocks * 4
    )
    both = np.stack([words & (2**32 - 1), words >> 32], axis=1).reshape(shape[0], 8 * blocks)
    return both[:, :width].reshape(shape)


def net_of(rng=0, dtype="float64", backend=None):
    layers = [Dropout(0.2), Affine(7, weight_init_std=0.5), ReLU(), Dropout(), Affine(3)]
    return Network(layers, SoftmaxCrossEntropy(), 5, 3, rng=rng, dtype=dtype, backend=backend)


def small_net():
    return Network([Affine(3), Dropout(), Affine(3)], SoftmaxCrossEntropy(), 2, rng=0, dtype="float64")


def passes_of(net):
    return [int(to_numpy(net.state[name])[0]) for name in ("passes1", "passes2")]


# ------------------------------------------------------------------------------------------------- the masks


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("shape", [(1, 1), (4, 13), (3, 2, 4, 5), (7,), (0, 3), (3, 0), (300, 1100)])
def test_the_mask_is_what_the_docstring_says(backend, shape, ratio, dtype):
    """By the formula and by the twins, in several blocks for the largest."""
    if shape == (300, 1100) and (ratio != 0.5 or backend.name != "numpy"):
        pytest.skip("one large case is enough")
    layer = layer_of(5, ratio, seed=SEED, passes=PASSES, first_row=ROW)
    x = RNG.normal(size=shape).astype(dtype)
    kept = numbers(shape, SEED, PASSES, ROW) >= round(ratio * 2**32)
    factor = (kept / (1.0 - ratio)).astype(dtype)
    out = layer.forward(asarray(x))
    np.testing.assert_array_equal(to_numpy(out), x * factor)
    np.testing.assert_array_equal(to_numpy(layer.backward(asarray(x + 1.0, dtype))), (x + 1) * factor)
    assert state_of(layer) == [SEED, PASSES + 1, ROW]


def test_the_formula_and_the_twin_have_one_mask(backend):
    for seed in (0, 1, 2**63, 2**64 - 1):
        layer = layer_of(9, 0.3, seed=seed)
        x = np.ones((50, 9))
        by_formula = layer.compute(backend.xp, asarray(x), *layer.state.values())[0]
        np.testing.assert_array_equal(to_numpy(by_formula), to_numpy(layer.forward(asarray(x))))


def test_a_mask_does_not_depend_on_how_a_batch_is_divided(backend):
    x = RNG.normal(size=(10, 3, 7))
    whole = to_numpy(layer_of(21).forward(asarray(x)))
    for cuts in ((0, 5, 10), (0, 1, 8, 10)):
        parts = [
            layer_of(21, first_row=start).forward(asarray(x[start:stop]))
            for start, stop in zip(cuts, cuts[1:], strict=False)
        ]
        np.testing.assert_array_equal(np.concatenate([to_numpy(part) for part in parts]), whole)


def test_a_ratio_of_0_keeps_everything_and_one_close_to_1_hardly_anything(backend):
    x = asarray(RNG.normal(size=(40, 9)))
    np.testing.assert_array_equal(to_numpy(layer_of(9, 0.0).forward(x)), to_numpy(x))
    assert not to_numpy(layer_of(9, 1.0 - 2**-53).forward(x)).any()


def test_the_mean_is_kept(backend):
    """Within five standard deviations."""
    for ratio in (0.1, 0.5, 0.9):
        out = to_numpy(layer_of(100, ratio).forward(asarray(np.ones((400, 100)))))
        assert abs(out.mean() - 1.0) < 5 * np.sqrt(ratio / (1 - ratio) / out.size)
        assert {*np.unique(out)} == {0.0, 1.0 / (1.0 - ratio)}


def test_complex_numbers_have_the_mask_of_real_ones(backend):
    x = RNG.normal(size=(4, 6))
    real, both = (to_numpy(layer_of(6).forward(asarray(values))) for values in (x, x + 2j * x))
    np.testing.assert_array_equal(both, real + 2j * real)


# ------------------------------------------------------------------------------------------------ the passes


def test_each_pass_in_training_has_a_new_mask_and_evaluation_none(backend):
    layer, x = layer_of(9), asarray(np.ones((20, 9)))
    masks = [to_numpy(layer.forward(x)) for _ in range(3)]
    assert not any(np.array_equal(a, b) for a, b in zip(masks, masks[1:], strict=False))
    np.testing.assert_array_equal(to_numpy(layer.forward(x, training=False)), 1.0)
    assert state_of(layer)[1] == 3
    layer.state["passes"] = [0]
    np.testing.assert_array_equal(to_numpy(layer.forward(x)), masks[0])


def test_only_a_gradient_moves_the_passes_of_a_network(backend):
    net = net_of()
    assert list(net.state) == ["seed1", "passes1", "first_row1", "seed2", "passes2", "first_row2"]
    net.predict(X), net.loss(X, T), net.accuracy(X, T), net.loss(X, T, training=True)
    assert passes_of(net) == [0, 0]
    net.gradient(X, T)
    assert passes_of(net) == [1, 1]
    with pytest.raises(ValueError):
        net.gradient(X, T + 3)
    assert passes_of(net) == [1, 1]


def test_what_does_not_move_them_sees_the_mask_of_the_next_pass(backend):
    net = small_net()
    net.gradient(*FEW)
    losses = {float(net.loss(*FEW, training=True)) for _ in range(3)}
    assert len(losses) == 1 and losses != {float(net.loss(*FEW))}
    numerical = net.numerical_gradient(*FEW, method="complex")
    for name, values in net.gradient(*FEW).items():
        np.testing.assert_allclose(to_numpy(values), to_numpy(numerical[name]), rtol=0, atol=1e-15)


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("method", ["central", "complex"])
def test_a_check_holds_the_masks(backend, method, mode):
    if mode == "full" and backend.name == "array_api_strict":
        pytest.skip("too slow for so many passes")
    net = small_net()
    net.gradient(*FEW)
    check_gradients(net, *FEW, method=method, mode=mode).assert_ok()
    assert to_numpy(net.state["passes1"]).tolist() == [1]


def test_layers_have_seeds_of_their_own_and_equal_networks_equal_masks(backend):
    net, same, other = net_of(rng=1), net_of(rng=1), net_of(rng=2)
    seeds = [int(to_numpy(each.state[name])[0]) for each in (net, other) for name in ("seed1", "seed2")]
    assert len({*seeds}) == 4
    for _ in range(2):
        first, second, third = (each.gradient(X, T) for each in (net, same, other))
        for name, values in first.items():
            np.testing.assert_array_equal(to_numpy(values), to_numpy(second[name]))
        assert not np.array_equal(to_numpy(first["W1"]), to_numpy(third["W1"]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_in_two_calls_is_training_in_one(backend, dtype):
    nets = [net_of(dtype=dtype) for _ in range(2)]
    for net, parts in zip(nets, ((3,), (1, 2)), strict=True):
        rng = np.random.default_rng(3)
        for iterations in parts:
            train(net, X, T, iterations=iterations, batch_size=4, rng=rng, evaluate_every=2)
    assert passes_of(nets[0]) == [3, 3]
    assert nets[0].params == nets[1].params


def test_every_backend_trains_with_the_same_masks(backend):
    mine, numpys = (net_of(backend=name) for name in (backend, "numpy"))
    histories = [train(net, X, T, iterations=3, batch_size=4, rng=1) for net in (mine, numpys)]
    np.testing.assert_allclose(histories[0].loss, histories[1].loss, rtol=1e-12)


def test_threads_share_a_network(backend):
    """Each pass has a number of its own, and with it a mask."""
    net, alone = net_of(), net_of()
    with ThreadPoolExecutor(4) as pool:
        grads = [*pool.map(lambda _: to_numpy(net.gradient(X, T)["W2"]).tobytes(), range(6))]
    assert passes_of(net) == [6, 6]
    assert {*grads} == {to_numpy(alone.gradient(X, T)["W2"]).tobytes() for _ in range(6)}


# ----------------------------------------------------------------------------------------- integers as state


def test_copies_of_every_kind_have_the_same_masks(backend):
    net = net_of(dtype="float32")
    net.gradient(X, T)
    copies = [copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.to("numpy"), net.astype("float64")]
    expected = to_numpy(net.gradient(X, T)["W1"])
    for each in copies:
        assert {str(array.dtype).rpartition(".")[2] for array in each.state.values()} == {"uint64"}
        assert passes_of(each) == [1, 1]
        np.testing.assert_allclose(to_numpy(each.gradient(X, T)["W1"]), expected, rtol=1e-4, atol=1e-6)
        assert passes_of(each) == [2, 2]
    assert passes_of(net) == [2, 2]


def test_integers_in_the_state_stay_integers(backend):
    class Counting(Layer):
        def compute(self, xp, x, w, count):
            return x * w, (x, w), (count + 1,)

        def derive(self, xp, dout, x, w):
            return dout * w, xp.sum(dout * x, axis=0)

        def initial(self, shape, rng):
            return {"w": np.ones(shape, int)}, {"count": np.zeros(2, "int32")}

    net = Network([Counting(), Affine(3)], SoftmaxCrossEntropy(), 5, rng=0)
    net.gradient(X, T)
    assert to_numpy(net.state["count1"]).tolist() == [1, 1]
    assert str(to_numpy(net.state["count1"]).dtype) == "int32"
    assert str(to_numpy(net.params["w1"]).dtype) == "float32"
    assert str(to_numpy(net.astype("float64").state["count1"]).dtype) == "int32"


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ([0.5], TypeError, "passes holds .*uint64 and cannot take float64"),
        ([1j], TypeError, "passes holds .*uint64 and cannot take complex128"),
        ([-1], ValueError, "passes holds .*uint64 and cannot take a negative number"),
        ([1, 2], ValueError, r"passes must have shape \(1,\), got \(2,\)"),
    ],
)
def test_what_a_counter_cannot_be_is_refused(backend, value, error, words):
    layer = layer_of(5, passes=3)
    with pytest.raises(error, match=f"^Arrays: {words}"):
        layer.state["passes"] = value
    assert state_of(layer)[1] == 3
    layer.state["passes"] = [2**64 - 1]
    assert state_of(layer)[1] == 2**64 - 1


def test_without_its_arrays_it_says_so(backend):
    x = asarray(X)
    with pytest.raises(RuntimeError, match=r"^Dropout.forward: Dropout\(0.5\) has no arrays yet"):
        Dropout().forward(x)
    layer = layer_of(5)
    with pytest.raises(ValueError, match=r"^Dropout.forward: x must have shape \(N, …\), got \(\)"):
        layer.forward(asarray(1.0))
    assert state_of(layer)[1] == 0


@pytest.mark.parametrize("ratio", [1.0, 1, 1.5, -0.1, float("nan")])
def test_a_ratio_that_would_drop_everything(ratio):
    with pytest.raises(ValueError, match="^Dropout: ratio must be a finite number of at least 0 and below 1"):
        Dropout(ratio)


def test_state_of_another_library_is_refused():
    layer, strict = layer_of(5), pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match=r"^Dropout.forward: .*"):
        layer.forward(strict.asarray(X))
