"""SimpleConvNet and DeepConvNet: the book's layers and weights, images of both shapes, and wrong settings."""

import copy
import pickle
from types import MappingProxyType

import numpy as np
import pytest

from backends import get_backend, to_numpy
from backprop import Sequential, check_gradients, load_mnist_sample, train
from backprop.layers import Affine, Conv2D, Dropout, MaxPool2D, ReLU
from backprop.networks import DeepConvNet, Network, SimpleConvNet
from backprop.optimizers import Adam

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(3, 1, 8, 8)), [0, 1, 2]
SMALL = {"filter_num": 2, "filter_size": 3, "pad": 0, "stride": 1}
BOOK = {"filter_num": 30, "filter_size": 5, "pad": 0, "stride": 1}
DEEP = {f"conv_param_{i}": {**SMALL, "pad": 1 + (i == 4)} for i in range(1, 7)}
FLOATS = {"rng": 0, "dtype": "float64"}


def simple(**options):
    sizes = {"input_dim": (1, 8, 8), "conv_param": SMALL, "hidden_size": 4, "output_size": 3}
    return SimpleConvNet(**{**sizes, "weight_init_std": 0.5, **FLOATS, **options})


def deep(**options):
    return DeepConvNet(**{"input_dim": (1, 8, 8), **DEEP, "hidden_size": 20, "output_size": 3}, **options)


MAKE = {"simple": simple, "deep": lambda **o: deep(**{**FLOATS, **o})}


# ----------------------------------------------------------------------------------------------- the networks


def test_the_simple_network_of_the_book():
    net = SimpleConvNet(rng=0)
    assert [type(layer) for layer in net] == [Conv2D, ReLU, MaxPool2D, Affine, ReLU, Affine]
    assert {name: array.shape for name, array in net.params.items()} == {
        "W1": (30, 1, 5, 5), "b1": (30,), "W2": (4320, 100), "b2": (100,), "W3": (100, 10), "b3": (10,),
    }  # fmt: skip
    shapes = [(30, 24, 24), (30, 24, 24), (30, 12, 12), (100,), (100,), (10,)]
    assert [*net.output_shapes.values()] == shapes and net.input_shape == (1, 28, 28)
    assert net.params.flat.shape == (433_890,) and net.dtype == "float32"
    for name in ("W1", "W2", "W3"):
        assert float(net.params[name].std()) == pytest.approx(0.01, rel=0.1)
    assert not any(net.params[name].any() for name in ("b1", "b2", "b3"))
    assert SimpleConvNet(conv_param=BOOK, rng=0).params == net.params


def test_the_deep_network_of_the_book():
    net = DeepConvNet(rng=0)
    block, end = [Conv2D, ReLU, Conv2D, ReLU, MaxPool2D], [Affine, ReLU, Dropout, Affine, Dropout]
    assert [type(layer) for layer in net] == [*block, *block, *block, *end]
    shapes = [net.output_shapes[f"Conv2D{i}"] for i in range(1, 7)]
    assert shapes == [
        (16, 28, 28), (16, 28, 28), (32, 14, 14), (32, 16, 16), (64, 8, 8), (64, 8, 8),
    ]  # fmt: skip
    assert [net.output_shapes[f"MaxPool2D{i}"][1:] for i in (1, 2, 3)] == [(14, 14), (8, 8), (4, 4)]
    weights = {name: array for name, array in net.params.items() if name.startswith("W")}
    inputs = [9, 16 * 9, 16 * 9, 32 * 9, 32 * 9, 64 * 9, 64 * 16, 50]
    for array, n in zip(weights.values(), inputs, strict=True):
        tolerance = 4 / (2 * array.size) ** 0.5
        assert float(array.std()) == pytest.approx((2 / n) ** 0.5, rel=tolerance)
    assert net["Dropout1"].ratio == net["Dropout2"].ratio == 0.5
    count = sum(f * n + f for f, n in zip((16, 16, 32, 32, 64, 64, 50, 10), inputs, strict=True))
    assert net.params.flat.shape == (count,)


def test_settings_change_the_layers():
    strided = {"filter_num": 4, "filter_size": 3, "pad": 1, "stride": 2}
    net = SimpleConvNet((3, 9, 11), strided, hidden_size=5, output_size=2)
    assert [*net.output_shapes.values()][::2] == [(4, 5, 6), (4, 2, 3), (5,)] and net.output_size == 2
    net = DeepConvNet((3, 32, 32), conv_param_2=strided, hidden_size=7, output_size=4)
    assert repr(net["Conv2D2"]) == "Conv2D(4, 3, stride=2, padding=1)" and repr(net[0]).startswith(
        "Conv2D(16"
    )
    assert net.params["W7"].shape[1:] == (7,) and net.output_shape == (4,)
    assert float(np.std(SimpleConvNet(weight_init_std="he", rng=0).params["W2"])) == pytest.approx(
        (2 / 4320) ** 0.5, rel=0.01
    )


def test_dicts_are_not_changed_and_need_not_be_plain():
    given = dict(SMALL)
    net = simple(conv_param=given)
    given["filter_num"] = 9
    assert net["Conv2D1"].filters == 2
    assert simple(conv_param=MappingProxyType(SMALL)).params == net.params


# ---------------------------------------------------------------------------------- as any other network


@pytest.mark.parametrize("name", MAKE)
def test_the_weights_are_the_same_on_every_backend(name, backend):
    nets = [MAKE[name](backend=each) for each in ("numpy", backend)]
    assert nets[1].backend is backend
    for each, values in nets[0].params.items():
        assert (to_numpy(nets[1].params[each]) == values).all()
    logits = [to_numpy(net.predict(X)) for net in nets]
    np.testing.assert_allclose(logits[1], logits[0], rtol=1e-12)


@pytest.mark.parametrize("name", MAKE)
def test_gradients_agree_with_the_complex_step(name):
    net = MAKE[name]()
    assert all(array.any() for array in net.gradient(X, T).values()), "or there would be little to check"
    check_gradients(net, X, T).assert_ok()


@pytest.mark.parametrize("name", MAKE)
def test_images_may_be_rows_of_pixels(name):
    net = MAKE[name]()
    rows = X.reshape(3, 64)
    assert (net.predict(rows) == net.predict(X)).all()
    images, flat = (net.gradient(x, T, input_gradient=True)["x"] for x in (X, rows))
    assert images.shape == (3, 1, 8, 8) and flat.shape == (3, 64)
    with pytest.raises(ValueError, match="must have shape"):
        net.predict(X[:, :, 1:])


@pytest.mark.parametrize("name", MAKE)
def test_copies_and_files_have_the_same_numbers(name, backend, tmp_path):
    pytest.importorskip("safetensors")
    net = MAKE[name](backend=backend)
    net.save(tmp_path / "net.safetensors")
    loaded = type(net).load(tmp_path / "net.safetensors", backend=backend)
    again = Network.load(tmp_path / "net.safetensors", backend=backend)
    copies = [copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.to(backend), loaded, again]
    for each in copies:
        assert type(each) is type(net) and repr(each) == repr(net)
        assert each.backend is net.backend and each.params is not net.params
        assert (to_numpy(each.params.flat) == to_numpy(net.params.flat)).all()
        assert (to_numpy(each.predict(X)) == to_numpy(net.predict(X))).all()
        left, right = (float(other.loss(X, T, training=True)) for other in (each, net))
        assert left == right, "the masks of Dropout go along"


@pytest.mark.parametrize("name", MAKE)
def test_in_another_dtype(name):
    net = MAKE[name](dtype="float32")
    wide = net.astype("float64")
    assert wide.dtype == "float64" and type(wide) is type(net)
    np.testing.assert_allclose(wide.predict(X), net.predict(X), rtol=1e-4, atol=1e-6)


def test_a_slice_and_a_subclass():
    net = simple()
    features = net[:3]
    assert type(features) is Sequential and features.predict(X).shape == (3, 2, 3, 3)

    class Mine(SimpleConvNet):
        pass

    mine = Mine((1, 8, 8), SMALL)
    assert type(copy.deepcopy(mine)) is Mine and type(mine[:1]) is Sequential


@pytest.mark.parametrize(("make", "least"), [(SimpleConvNet, 0.75), (DeepConvNet, 0.3)])
def test_training_on_digits_lowers_the_loss(make, least):
    (x, t), _ = load_mnist_sample()
    few = {"filter_num": 6, "filter_size": 5, "pad": 0, "stride": 2}
    thin = {f"conv_param_{i}": {**SMALL, "filter_num": 4, "pad": 1 + (i == 4)} for i in range(1, 7)}
    options = {"conv_param": few, "weight_init_std": "he"} if make is SimpleConvNet else thin
    net = make(rng=0, backend=get_backend(), **options)
    before = float(net.loss(x[:500], t[:500]))
    history = train(
        net, x[:500], t[:500], iterations=40, batch_size=50, optimizer=Adam(0.01), rng=0, evaluate_every=None
    )
    assert len(history.loss) == 40
    assert float(net.loss(x[:500], t[:500])) < 0.9 * before and net.accuracy(x[:500], t[:500]) > least


# ----------------------------------------------------------------------------------------------- wrong calls

DICT = "must be a dict of filter_num, filter_size, pad, stride"


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (5, TypeError, f" {DICT}, got 5$"),
        ([30, 5, 0, 1], TypeError, rf" {DICT}, got \[30"),
        ({**BOOK, "padding": 1}, ValueError, f" {DICT}, got the key 'padding'; did you mean pad"),
        ({**BOOK, 3: 1}, ValueError, f" {DICT}, got the key 3$"),
        ({"filter_num": 30, "stride": 1}, ValueError, f" {DICT}, got none of filter_size, pad$"),
        ({}, ValueError, f" {DICT}, got none of filter_num, filter_size, pad, stride$"),
        ({**BOOK, "filter_num": 0}, ValueError, r"\['filter_num'\] must be at least 1, got 0"),
        ({**BOOK, "filter_size": 2.5}, TypeError, r"\['filter_size'\] must be an integer, got 2.5"),
        ({**BOOK, "filter_size": (5, 5)}, TypeError, r"\['filter_size'\] must be an integer, got \(5, 5\)"),
        ({**BOOK, "pad": -1}, ValueError, r"\['pad'\] must be at least 0, got -1"),
        ({**BOOK, "pad": "same"}, TypeError, r"\['pad'\] must be an integer, got 'same'"),
        ({**BOOK, "stride": True}, TypeError, r"\['stride'\] must be an integer, got True"),
    ],
)
def test_wrong_dicts(value, error, words):
    with pytest.raises(error, match=f"^SimpleConvNet: conv_param{words}"):
        SimpleConvNet(conv_param=value)
    with pytest.raises(error, match=f"^DeepConvNet: conv_param_6{words}"):
        DeepConvNet(conv_param_6=value)


@pytest.mark.parametrize("make", [SimpleConvNet, DeepConvNet])
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"input_dim": 784}, ValueError, r"input_dim must be \(channels, height, width\), as .*, got 784"),
        ({"input_dim": (28, 28)}, ValueError, r"input_dim must be .*, got \(28, 28\)"),
        ({"input_dim": (1, 28, 0)}, ValueError, "input_dim must be at least 1, got 0"),
        ({"input_dim": "1,28,28"}, TypeError, "input_dim must be an integer, got '1,28,28'"),
        ({"hidden_size": 0}, ValueError, "hidden_size must be at least 1, got 0"),
        ({"output_size": "3"}, TypeError, "output_size must be an integer, got '3'"),
    ],
)
def test_wrong_settings(make, options, error, words):
    with pytest.raises(error, match=f"^{make.__name__}: {words}"):
        make(**options)


@pytest.mark.parametrize(
    ("call", "left"),
    [
        (lambda: SimpleConvNet((1, 4, 28)), r"4 × 28 values are left in front of Conv2D\(30, 5\)$"),
        (lambda: SimpleConvNet((1, 5, 5)), r"1 × 1 values are left in front of MaxPool2D\(2\)$"),
        (lambda: DeepConvNet((1, 1, 9)), r"1 × 9 values are left in front of MaxPool2D\(2\)$"),
        (lambda: DeepConvNet((1, 2, 2)), r"1 × 1 values are left in front of MaxPool2D\(2\)$"),
    ],
)
def test_images_that_are_too_small(call, left):
    with pytest.raises(ValueError, match=rf"^\w+: input_dim is too small, got \(1, .*\): only {left}") as got:
        call()
    assert len(str(got.value)) <= 200


def test_memory_that_ran_out_names_what_to_lower():
    with pytest.raises(MemoryError, match="^SimpleConvNet: .*; lower filter_num or hidden_size"):
        SimpleConvNet(hidden_size=10**10)
    with pytest.raises(MemoryError, match="^DeepConvNet: .*; lower hidden_size, or filter_num"):
        DeepConvNet(hidden_size=10**11)
