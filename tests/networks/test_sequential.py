"""Sequential: indices, slices, names, how it prints; copies; deep networks out of the box."""

import copy
import pickle

import numpy as np
import pytest

from backends import dtype_name, to_numpy
from backprop import Sequential, check_gradients, load_mnist_sample, train
from backprop.layers import (
    GELU,
    Affine,
    BatchNorm,
    Dropout,
    Flatten,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.networks import Network

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(6, 4)), [0, 1, 2, 2, 1, 0]


def small(**options):
    layers = [Affine(5), BatchNorm(), ReLU(), Dropout(0.3), Affine(3)]
    return Sequential(layers, 4, **{"rng": 0, "dtype": "float64", **options})


class Doubled:
    """A user's layer with its own passes and a parameter, on any backend."""

    def __init__(self, W):
        self.W, self.dW = W, None

    def forward(self, x):
        self.x = x
        return x * self.W

    def backward(self, dout):
        self.dW = (dout * self.x).sum(axis=0)
        return dout * self.W


# ------------------------------------------------------------------------------------------------ a sequence


def test_a_network_is_a_sequence_of_its_layers(backend):
    net = small()
    names = ["Affine1", "BatchNorm1", "ReLU1", "Dropout1", "Affine2"]
    assert len(net) == 5 and [*net] == [net[name] for name in names] == [*net.layers.values()]
    assert net[0] is net["Affine1"] is net[-5] and net[-1] is net[np.int64(4)] is net["Affine2"]
    assert "ReLU1" in net and net[2] in net and "ReLU2" not in net and ReLU() not in net
    named = Sequential({"first": Affine(5), "then": Sigmoid(), "last": Affine(3)}, 4)
    assert named["then"] is named[1] and list(named.params) == ["W1", "b1", "W2", "b2"]


def test_the_loss_is_softmax_by_default_and_sizes_are_never_said_twice(backend):
    net = Sequential([Flatten(), Affine(5), Tanh(), Affine(2)], (3, 2, 2), rng=0)
    assert isinstance(net.loss_layer, SoftmaxCrossEntropy)
    assert (net.input_shape, net.output_shape, net.input_size) == ((3, 2, 2), (2,), 12)
    assert net.predict(RNG.normal(size=(4, 3, 2, 2))).shape == (4, 2)
    regression = Sequential([Affine(1)], 4, MeanSquaredError(), rng=0)
    assert regression.loss(X, X[:, :1]).shape == ()


def test_one_seed_is_the_same_network_everywhere(backend):
    same = Network([Affine(5), BatchNorm(), ReLU(), Dropout(0.3), Affine(3)], SoftmaxCrossEntropy(), 4, rng=0)
    net = small(dtype=None)
    assert net.params == same.params
    assert all((to_numpy(array) == to_numpy(net.state[name])).all() for name, array in same.state.items())


def test_a_layer_on_a_line_when_printed():
    layers = [layer for _ in range(5) for layer in (Affine(1000), ReLU())]
    text = repr(Sequential({f"layer_with_a_name_{i}": layer for i, layer in enumerate(layers)}, 10, rng=0))
    lines = text.splitlines()
    assert len(lines) == 12 and max(map(len, lines)) <= 80
    assert lines[0] == "<Sequential (10,) to (1000,), 4,015,000 float32 on numpy"
    assert lines[2].split() == ["layer_with_a_name_1", "ReLU()"] and lines[-1].endswith("CrossEntropy()>")


def test_odd_names_when_printed():
    net = Sequential({"loss": Affine(5), "two\nlines": ReLU(), "a" * 90: Affine(3)}, 4, rng=0)
    lines = repr(net).splitlines()
    names = ["loss", "two lines", "a" * 29 + "…", "loss"]
    assert [line[2:32].strip() for line in lines[1:]] == names and max(map(len, lines)) <= 80


def test_errors_about_layers_are_short_lines():
    taken, name = small(backend="numpy"), "a long\nname" * 20
    for layers in ({name: Affine.create(9, 3)}, {name: taken[0]}, {name: (same := ReLU()), "b" * 90: same}):
        with pytest.raises(ValueError, match=r"^Network: (a long name|b).*…") as caught:
            Sequential({"c" * 90: Affine(3), **layers}, 4)
        assert len(str(caught.value)) < 260 and "\n" not in str(caught.value)


def test_errors_name_a_few_of_many_layers():
    net = Sequential([Affine(2)] + [ReLU() for _ in range(60)], 2, rng=0, backend="numpy")
    for get, error in ((lambda: net["x"], KeyError), (lambda: net[1:], ValueError)):
        with pytest.raises(error) as caught:
            get()
        assert len(str(caught.value)) <= 200


@pytest.mark.parametrize(
    ("get", "error", "words"),
    [
        (lambda net: net["Afine1"], KeyError, "no layer named 'Afine1'; did you mean Affine1?"),
        (lambda net: net["x"], KeyError, "no layer named 'x'; the names are Affine1, BatchNorm1"),
        (lambda net: net[5], IndexError, "no layer at 5; there are 5"),
        (lambda net: net[-6], IndexError, "no layer at -6; there are 5"),
        (lambda net: net[1.0], TypeError, "layers are found by position, slice or name, got 1.0"),
        (lambda net: net[True], TypeError, "layers are found by position, slice or name, got True"),
        (lambda net: net["a":], TypeError, "is not a slice of layers: slice indices must be integers"),
        (lambda net: net[:3:0], ValueError, "is not a slice of layers: slice step cannot be zero"),
        (lambda net: net[::2], ValueError, "a slice must be of neighbouring layers, in order, got slice"),
        (lambda net: net[::-1], ValueError, "a slice must be of neighbouring layers, in order, got slice"),
        (lambda net: net[3:3], ValueError, "a slice must be of neighbouring layers, in order, got slice"),
        (lambda net: net[2:4], ValueError, "ReLU1, Dropout1 alone would be a network without parameters"),
    ],
)
def test_places_that_do_not_exist(get, error, words):
    net = small(backend="numpy")
    with pytest.raises(error, match=rf"Sequential: .*{words}") as caught:
        get(net)
    assert len(str(caught.value)) <= 200


# ---------------------------------------------------------------------------------------------------- slices


def test_a_slice_computes_what_its_layers_do_and_shares_nothing(backend):
    net = small()
    net.gradient(X, T)  # moves the running statistics
    before, state = net.params.copy(), {name: to_numpy(a).copy() for name, a in net.state.items()}
    hidden = net[:3]
    assert isinstance(hidden, Sequential) and [*hidden.layers] == ["Affine1", "BatchNorm1", "ReLU1"]
    found, (rest, last) = to_numpy(hidden.predict(X)), (net[3:], net[-1:])
    assert found.shape == (6, 5) and hidden.output_shape == rest.input_shape == last.input_shape == (5,)
    for part in (rest, last):
        np.testing.assert_allclose(to_numpy(part.predict(found)), to_numpy(net.predict(X)), rtol=1e-14)
    assert isinstance(hidden.loss_layer, MeanSquaredError)
    assert isinstance(rest.loss_layer, SoftmaxCrossEntropy) and rest.loss_layer is not net.loss_layer
    assert list(rest.params) == ["W1", "b1"] and (hidden.backend, hidden.dtype) == (net.backend, net.dtype)
    for part, targets in ((hidden, found + 1.0), (net[:], T)):
        train(part, X, targets, iterations=2, batch_size=6, learning_rate=0.5)
    assert net.params == before
    assert all((to_numpy(array) == state[name]).all() for name, array in net.state.items())


def test_a_new_network_continues_with_trained_layers(backend):
    net = small()
    longer = Sequential([*net[:3], Affine(4), Tanh(), Affine(2)], 4, rng=0)
    assert [*longer.layers] == ["Affine1", "BatchNorm1", "ReLU1", "Affine2", "Tanh1", "Affine3"]
    np.testing.assert_array_equal(to_numpy(longer.params["W1"]), to_numpy(net.params["W1"]))
    with pytest.raises(ValueError, match=r"Affine1, Affine\(4, 5\), already belongs to a network"):
        Sequential([*net, Affine(2)], 4)


def test_a_slice_with_a_users_layer(backend):
    net = Sequential(
        [Affine(4), Doubled(backend.asarray(RNG.normal(size=4), "float32")), Affine(3)], 4, rng=0
    )
    hidden = net[:2]
    expected = to_numpy(net[0].forward(backend.asarray(X, "float32"), training=False)) * to_numpy(net[1].W)
    np.testing.assert_allclose(to_numpy(hidden.predict(X)), expected, rtol=1e-6)
    hidden.params["W2"] *= 2.0
    assert (to_numpy(net.params["W2"]) == to_numpy(net[1].W)).all() and hidden.params["W2"] is hidden[1].W
    assert (to_numpy(net.params["W2"]) != to_numpy(hidden.params["W2"])).all()


# --------------------------------------------------------------------------------------------------- copying


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "to": lambda net: net.to(net.backend),
    "astype": lambda net: net.astype("float32"),
    "slice": lambda net: net[:],
    "copy of a copy": lambda net: copy.deepcopy(pickle.loads(pickle.dumps(net.to(net.backend)[:]))),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_work_alone(backend, how):
    net = small()
    net.gradient(X, T)
    twin = COPIES[how](net)
    rtol = 1e-5 if dtype_name(twin.dtype) == "float32" else 1e-14
    assert [*twin.layers] == [*net.layers] and len(twin) == 5 and not any(layer in net for layer in twin)
    gradients = [each.gradient(X, T) for each in (net, twin)]  # of the same pass: the same masks
    for name, gradient in gradients[0].items():
        np.testing.assert_allclose(to_numpy(gradients[1][name]), to_numpy(gradient), rtol=rtol, atol=rtol)
    assert twin[:3].predict(X).shape == (6, 5) and str(twin.summary()) == str(COPIES[how](net).summary())
    before = net.params.copy()
    train(twin, X, T, iterations=3, batch_size=6)
    assert net.params == before and twin[0].params["W"] is twin.params["W1"]


def test_a_shallow_copy_shares_the_layers():
    net = small(backend="numpy")
    assert copy.copy(net)[0] is net[0] and len(copy.copy(net)) == 5


# ------------------------------------------------------------------------------------------- what is refused


def test_layers_used_twice_and_networks_as_layers():
    layer = Affine(4)
    with pytest.raises(ValueError, match="Affine1 and Affine2 are one object"):
        Sequential([layer, ReLU(), layer], 4)
    assert not layer.params
    for inner in (small(backend="numpy"), Network([Affine(3)], SoftmaxCrossEntropy(), 4)):
        with pytest.raises(TypeError, match=r"must not be a network itself, a .*; add copies of its layers"):
            Sequential([Affine(4), inner], 4)
    Sequential([*copy.deepcopy(inner).layers.values(), Affine(2)], 4)


def test_losses_and_layers_in_the_place_of_the_other():
    with pytest.raises(TypeError, match=r"layer SoftmaxCrossEntropy1 is a loss, .*; pass it as loss="):
        Sequential([Affine(3), SoftmaxCrossEntropy()], 4)
    with pytest.raises(TypeError, match=r"loss must be a loss, such as .*, got ReLU\(\), a layer"):
        Sequential([Affine(3)], 4, ReLU())


def test_layers_that_are_not_a_list():
    for layers in ((Affine(n) for n in (3, 2)), small(backend="numpy")):
        with pytest.raises(TypeError, match=r"must be a dict by name or a list, got .*; pass list\(layers\)"):
            Sequential(layers, 4)
    with pytest.raises(
        TypeError, match=r"input_shape must be an integer, got array.*; pass several as a tuple"
    ):
        Sequential([Affine(3)], np.array([2, 2]))


def test_an_unbuilt_layer_called():
    for layer in (Affine(3), BatchNorm(), LayerNorm(), Dropout(0.5)):
        with pytest.raises(RuntimeError, match=r"\.forward: .* has no arrays yet: add it to a network, or"):
            layer.forward(X)


# --------------------------------------------------------------------------------------------- deep networks


def test_ten_layers_train_out_of_the_box():
    """Weights of standard deviation 0.01 would leave the logits, and so the loss, where they start."""
    (x, t), _ = load_mnist_sample()
    hidden = [layer for _ in range(9) for layer in (Affine(50), ReLU())]
    net = Sequential([*hidden, Affine(10)], 784, rng=0)
    history = train(net, x[:1000], t[:1000], iterations=80, evaluate_every=None, rng=0)
    assert np.mean(history.loss[-10:]) < 1.6 < np.log(10) < history.loss[0]
    small_weights = [layer for _ in range(9) for layer in (Affine(50, weight_init_std=0.01), ReLU())]
    stuck = Sequential([*small_weights, Affine(10, weight_init_std=0.01)], 784, rng=0)
    loss = train(stuck, x[:1000], t[:1000], iterations=20, evaluate_every=None, rng=0).loss
    assert np.mean(loss[-10:]) == pytest.approx(np.log(10), abs=0.02)


def test_ten_layers_with_everything_in_them_have_right_gradients():
    layers = [
        *(Flatten(), Affine(6), BatchNorm(), ReLU(), Dropout(0.2), Affine(7), LayerNorm(), GELU(), Affine(6)),
        *(Tanh(), Affine(5), LeakyReLU(), BatchNorm(), Dropout(0.4), Affine(6), Sigmoid(), Affine(5)),
        *(Softmax(), Affine(6), LayerNorm(), Tanh(), Affine(5), GELU(), BatchNorm()),
        *(Affine(4), LeakyReLU(0.3), Affine(3)),
    ]
    net = Sequential(layers, (2, 2, 1), rng=0, dtype="float64", backend="numpy")
    assert sum(isinstance(layer, Affine) for layer in net) == 10
    report = check_gradients(net, X.reshape(6, 2, 2, 1), T)
    report.assert_ok()
    assert max(row.max_difference for row in report.arrays) < 1e-13
