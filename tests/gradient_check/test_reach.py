"""Every array that the output depends on is seen; copies are float64; random states are restored."""

import threading
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from backprop import TwoLayerNet, check_gradients
from backprop.gradient_check.places import at, name_of, put
from backprop.gradient_check.reach import reach
from backprop.layers import Affine
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network

X = np.random.default_rng(0).normal(size=(5, 4))


def words_of(text):
    return " ".join(str(text).split())


def rows_of(report):
    return [(array.name, array.verdict) for array in report.arrays]


# ---------------------------------------------------------------------------------------------- what is found


class Slotted:
    __slots__ = ("w",)

    def __init__(self):
        self.w = np.ones(2)


Pair = namedtuple("Pair", "left right")


class Everything:
    """An object with arrays in all kinds of places, and with other things."""

    shared = np.ones(7)

    def __init__(self):
        self.a = np.ones(1)
        self.items = [np.ones(2), {"b": np.ones(3)}, (np.ones(4), Pair(np.ones(5), 3.0))]
        self.ragged = np.array([np.ones(10), np.ones(11)], dtype=object)
        self.by_name = OrderedDict(c=np.ones(6))
        self.slotted, self.me, self.method = Slotted(), self, self.__init__
        self.params = {"W": np.ones(8), "conv.W": np.ones(9)}
        self.again = self.params["W"]
        self.numbers, self.text, self.mask = np.arange(3), "text", np.ones(3) > 0
        self.lock, self.module, self.kind, self.generator = threading.Lock(), np, Slotted, (i for i in "ab")


NAMES = {
    *(
        "a",
        "items[0]",
        "items[1]['b']",
        "items[2][0]",
        "items[2][1][0]",
        "by_name['c']",
        "slotted.w",
        "shared",
    ),
    *("again", "conv.W", "ragged[0]", "ragged[1]"),
}


def test_every_array_is_found_once_wherever_it_lies():
    obj = Everything()
    found = reach(obj).arrays.values()
    assert {each.name for each in found} == NAMES and len(found) == len(NAMES)
    for each in found:
        assert all(at(obj, place) is each.array for place in each.places)
    assert {len(each.places) for each in found if each.name != "again"} == {1}


def test_another_array_can_be_put_at_every_place():
    obj = Everything()
    for i, each in enumerate(reach(obj).arrays.values()):
        new = np.full(each.array.shape, float(i))
        for place in each.places:
            put(obj, place, new)
            assert at(obj, place) is new
    assert isinstance(obj.items[2][1], Pair) and obj.items[2][1].right == 3.0


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ((("attribute", "W"),), "W"),
        ((("attribute", "layers"), ("item", 0), ("attribute", "W")), "layers[0].W"),
        ((("attribute", "layers"), ("item", "A"), ("attribute", "params"), ("item", "W")), "layers['A'].W"),
        ((("attribute", "params"), ("item", "W")), "W"),
        ((("attribute", "params"), ("item", 1)), "params[1]"),
        ((("attribute", "W"), ("attribute", "data")), "W"),
        ((("attribute", "data"),), "data"),
    ],
)
def test_names_are_what_one_writes(place, name):
    assert name_of(place) == name


# ----------------------------------------------------------------------------------------- what passes unseen


class Dense:
    """Arrays under unguessable names."""

    def __init__(self):
        self.kernel_matrix, self.offset = np.random.default_rng(1).normal(size=(4, 3)), np.ones(3)

    def forward(self, x):
        self.x = x
        return x @ self.kernel_matrix + self.offset

    def backward(self, dout):
        self.first, self.second = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.kernel_matrix.T


def test_arrays_that_move_the_output_are_listed_with_the_reason():
    report = check_gradients(Dense(), X)
    assert rows_of(report) == [("x", "ok"), ("kernel_matrix", "not compared"), ("offset", "not compared")]
    assert not report.ok
    words = words_of(report)
    assert "kernel_matrix: not compared: forward depends on it, but no gradient for it was found" in words
    assert "declare it constant: constants=['kernel_matrix']" in words
    assert max(map(len, str(report).splitlines())) <= 80


def test_constants_are_not_asked_for():
    report = check_gradients(Dense(), X, constants=["kernel_matrix", "offset"])
    report.assert_ok()
    assert rows_of(report) == [("x", "ok")]


def test_a_compared_array_can_be_declared_constant():
    report = check_gradients(Affine.create(4, 3, rng=0, dtype="float64"), X, constants=("b",))
    assert rows_of(report) == [("W", "ok"), ("x", "ok")] and report.ok
    net = TwoLayerNet(4, 3, 2, rng=0)
    report = check_gradients(net, X, [0, 1, 0, 1, 1], constants=("W1",))
    assert rows_of(report) == [(name, "ok") for name in ("b1", "W2", "b2", "x")] and report.ok


@pytest.mark.parametrize(
    ("obj", "rest", "known"),
    [
        (Dense(), [], "x, kernel_matrix, offset"),
        (TwoLayerNet(4, 3, 2, rng=0), [[0, 1, 0, 1, 1]], "W1, b1, W2, b2"),
    ],
)
def test_an_unknown_constant_is_refused_with_those_that_are_known(obj, rest, known):
    with pytest.raises(ValueError, match=f"has no array 'kernel'; it has {known}"):
        check_gradients(obj, X, *rest, constants=["kernel"])


class Masked:
    """A mask and a scale in a tuple; statistics that forward writes but does not read."""

    def __init__(self):
        self.settings = (np.array([1.0, 0.0, 1.0, 0.0]), {"scale": np.array(2.0)})
        self.running_mean = np.zeros(4)

    def forward(self, x):
        self.running_mean = 0.9 * self.running_mean + 0.1 * x.mean(axis=0)
        return x * self.settings[0] * self.settings[1]["scale"]

    def backward(self, dout):
        return dout * self.settings[0] * self.settings[1]["scale"]


def test_arrays_in_tuples_and_dicts_are_moved_too_but_not_what_forward_only_writes():
    report = check_gradients(Masked(), X)
    assert rows_of(report)[1:] == [("settings[0]", "not compared"), ("settings[1]['scale']", "not compared")]
    check_gradients(Masked(), X, constants=["settings[0]", "settings[1]['scale']"]).assert_ok()


def test_factors_that_are_both_zero_are_seen():
    class Gate:
        def __init__(self):
            self.a, self.b = np.zeros(4), np.zeros(4)

        def forward(self, x):
            return x + self.a * self.b

        def backward(self, dout):
            return dout

    assert not check_gradients(Gate(), X).ok


def test_arrays_in_places_that_cannot_be_changed_are_moved_by_value():
    @dataclass(frozen=True)
    class Fixed:
        scale: object

        def forward(self, x):
            return x * self.scale

        def backward(self, dout):
            return dout * self.scale

    layer = Fixed(np.full(4, 2.0))
    assert rows_of(check_gradients(layer, X)) == [("x", "ok"), ("scale", "not compared")]
    assert (layer.scale == 2.0).all()


def test_what_is_kept_of_the_input_is_not_taken_for_a_parameter():
    class Keeper:
        def __init__(self):
            self.cache = []

        def forward(self, x):
            self.cache.append((x, x.reshape(-1)))
            self.x, self.view = x, x[:1]
            return x * x

        def backward(self, dout):
            self.dx = 2.0 * dout * self.cache.pop()[0]
            return self.dx

    layer = Keeper()
    layer.forward(X)
    assert rows_of(check_gradients(layer, X)) == [("x", "ok")]


def test_a_network_s_arrays_beside_its_params_are_seen():
    class Net:
        def __init__(self):
            self.params, self.scale = {"w": np.ones(4)}, np.full(4, 2.0)

        def loss(self, x, t):
            return (x * self.params["w"] * self.scale).sum()

        def gradient(self, x, t):
            return {"w": (x * self.scale).sum(axis=0)}

    assert rows_of(check_gradients(Net(), X, None)) == [("w", "ok"), ("scale", "not compared")]
    check_gradients(Net(), X, None, constants=["scale"]).assert_ok()


# ---------------------------------------------------------------------------------- made by the first forward


class Lazy:
    """A layer whose parameters are created by the first forward, for the input's size."""

    def __init__(self, factor=1.0, empty=None):
        self.factor, self.params, self.grads = factor, {} if empty is None else {"w": empty, "b": empty}, {}
        self.is_built = False

    def forward(self, x):
        if not self.is_built:
            self.params = {"w": np.random.normal(size=x.shape[1:]), "b": np.zeros(x.shape[1:])}
            self.is_built = True
        self.x = x
        return x * self.params["w"] + self.params["b"]

    def backward(self, dout):
        self.grads = {"w": self.factor * (dout * self.x).sum(axis=0), "b": dout.sum(axis=0)}
        return dout * self.params["w"]


class Unnamed(Lazy):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads = {}
        return dx


def test_parameters_that_the_first_forward_makes_are_compared():
    layer = Lazy()
    assert rows_of(check_gradients(layer, X)) == [("w", "ok"), ("b", "ok"), ("x", "ok")]
    assert layer.params == {} and not layer.is_built
    assert [array.ok for array in check_gradients(Lazy(2.0), X).arrays] == [False, True, True]
    assert not check_gradients(Unnamed(), X).ok


# ------------------------------------------------------------------------------------------- double precision


def test_everything_is_double_precision_in_the_copy():
    """A layer with buffers for its gradients, and with arrays that have none."""

    class Buffered:
        def __init__(self):
            self.W, self.shift = np.ones((4, 3), "float32"), np.full(3, 1.0 / 3.0, "float32")
            self.dW = np.zeros((4, 3), "float32")
            self.out = np.zeros((5, 3), "float32")

        def forward(self, x):
            self.x = x
            return x @ self.W + self.shift

        def backward(self, dout):
            self.dW[...] = self.x.T @ dout
            return dout @ self.W.T

    layer = Buffered()
    check_gradients(layer, X, constants=["shift"]).assert_ok()
    assert {array.dtype.name for array in vars(layer).values()} == {"float32"} and not layer.dW.any()


# ------------------------------------------------------------------------------------------------- randomness


class Noise:
    """Random factors from np.random in training."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, x, train_flg=True):
        self.noise = self.drawn(x.shape) if train_flg else 1.0
        return x * self.noise

    def backward(self, dout):
        return self.factor * dout * self.noise

    def drawn(self, shape):
        return np.random.normal(1.0, 0.5, shape)


class OwnNoise(Noise):
    def __init__(self, factor=1.0, source=np.random.default_rng):
        super().__init__(factor)
        self.held = {"rng": source(3)}

    def drawn(self, shape):
        return self.held["rng"].normal(1.0, 0.5, shape)


def of_a_random_state(factor=1.0):
    return OwnNoise(factor, np.random.RandomState)


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("kind", [Noise, OwnNoise, of_a_random_state])
def test_random_layers_are_checked_with_the_same_numbers_each_time(kind, method, mode):
    np.random.seed(5)
    first = np.random.get_state()[1].copy(), np.random.get_state()[2]
    check_gradients(kind(), X, method=method, mode=mode).assert_ok()
    wrong = check_gradients(kind(2.0), X, method=method, mode=mode)
    assert rows_of(wrong) == [("x", "constant factor")] and not wrong.faults
    assert (np.random.get_state()[1] == first[0]).all() and np.random.get_state()[2] == first[1]


def test_a_network_with_noise_of_np_random_in_loss_and_gradient():
    class Net:
        def __init__(self):
            self.params = {"w": np.ones(4)}

        def masked(self, x):
            return x * (np.random.rand(*x.shape) > 0.3)

        def loss(self, x, t):
            return (self.masked(x) * self.params["w"]).sum()

        def gradient(self, x, t):
            return {"w": self.masked(x).sum(axis=0)}

    check_gradients(Net(), X, None).assert_ok()


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_network_with_a_layer_that_draws_from_np_random(factor):
    class Drop:
        def forward(self, x):
            self.kept = np.random.rand(*x.shape) > 0.3
            return x * self.kept

        def backward(self, dout):
            return factor * dout * self.kept

    net = Network([Affine(4), Drop(), Affine(2)], SoftmaxCrossEntropy(), input_size=4, rng=0)
    assert check_gradients(net, X, [0, 1, 0, 1, 1]).ok == (factor == 1.0)


# ------------------------------------------------------------------------------------------------------ views


class Flat:
    """x W + b, whose arrays are views of one."""

    def __init__(self, factor=1.0):
        self.factor, self.params, self.grads = factor, np.arange(1.0, 16.0), np.zeros(15)
        self.W, self.b = self.params[:12].reshape(4, 3), self.params[12:]

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.grads[:12], self.grads[12:] = (self.x.T @ dout).ravel(), self.factor * dout.sum(axis=0)
        return dout @ self.W.T


class Transposed(Flat):
    """A layer with weights stored as (3, 4) and used as (4, 3)."""

    def __init__(self, factor=1.0):
        self.factor, self.stored, self.b = factor, np.asfortranarray(np.ones((3, 4))), np.ones(3)
        self.W = self.stored.T

    def backward(self, dout):
        self.dstored, self.db = self.factor * dout.T @ self.x, dout.sum(axis=0)
        return dout @ self.stored


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize(("kind", "names"), [(Flat, ["params", "x"]), (Transposed, ["stored", "b", "x"])])
def test_views_of_what_is_compared_move_with_it(kind, names, mode):
    assert rows_of(check_gradients(kind(), X, mode=mode)) == [(name, "ok") for name in names]
    assert [array.ok for array in check_gradients(kind(2.0), X, mode=mode).arrays][0] is False


def test_a_view_beside_one_that_is_compared_does_not_pass_unseen():
    class Half(Flat):
        def __init__(self):
            super().__init__()
            del self.params

        def backward(self, dout):
            self.dW = self.x.T @ dout
            return dout @ self.W.T

    assert rows_of(check_gradients(Half(), X)) == [("W", "ok"), ("x", "ok"), ("b", "not compared")]


# ------------------------------------------------------------------------------------------ beside parameters


def test_a_buffer_beside_a_parameter_has_not_its_gradient():
    class Trained(Transposed):
        def __init__(self):
            super().__init__()
            self.velocity = {"stored": np.zeros((3, 4)), "b": np.zeros(3)}

    assert rows_of(check_gradients(Trained(), X)) == [("stored", "ok"), ("b", "ok"), ("x", "ok")]


def test_objects_for_parameters_and_gradients_beside_each_other():
    class Objects:
        def __init__(self, factor=1.0):
            self.factor, self.params, self.grads = factor, SimpleNamespace(w=np.ones(4)), SimpleNamespace()

        def forward(self, x):
            self.x = x
            return x * self.params.w

        def backward(self, dout):
            self.grads.w = self.factor * (dout * self.x).sum(axis=0)
            return dout * self.params.w

    assert rows_of(check_gradients(Objects(), X)) == [("params.w", "ok"), ("x", "ok")]
    assert not check_gradients(Objects(2.0), X).ok


def test_a_class_with_slots_may_have_lists():
    class Slots(Slotless):
        __slots__ = ("w", "dw", "x")
        names = ("w", "dw")
        order = ["w"]

    assert rows_of(check_gradients(Slots(), X)) == [("w", "ok"), ("x", "ok")]


class Slotless:
    __slots__ = ()

    def __init__(self):
        self.w = np.ones(4)

    def forward(self, x):
        self.x = x
        return x * self.w

    def backward(self, dout):
        self.dw = (dout * self.x).sum(axis=0)
        return dout * self.w


def test_an_array_whose_move_breaks_forward_hides_no_other():
    """A logarithm of a number that may become negative, and a factor after it."""

    class Logs:
        def __init__(self):
            self.positive, self.scale = np.full(4, 1e-3), np.full(4, 2.0)
            self.unused = np.ones(4)

        def forward(self, x):
            return x * np.log(self.positive) * self.scale

        def backward(self, dout):
            return dout * np.log(self.positive) * self.scale

    names = [name for name, verdict in rows_of(check_gradients(Logs(), X)) if verdict == "not compared"]
    assert names == ["positive", "scale"]


def test_arrays_in_a_set_do_not_pass_unseen():
    class Unordered:
        def __init__(self):
            self.layers = {Transposed()}

        def forward(self, x):
            return [*self.layers][0].forward(x)

        def backward(self, dout):
            return [*self.layers][0].backward(dout)

    report = check_gradients(Unordered(), X)
    assert not report.ok and {array.verdict for array in report.arrays} == {"ok", "not compared"}


def test_arrays_of_a_layer_s_class_in_a_container_are_not_written_to():
    class Shared(Slotless):
        w = np.ones(4)
        w.flags.writeable = False

        def __init__(self):
            pass

    class Holder:
        def __init__(self):
            self.layers = [Shared()]

        def forward(self, x):
            return self.layers[0].forward(x)

        def backward(self, dout):
            return self.layers[0].backward(dout)

    assert rows_of(check_gradients(Holder(), X)) == [("layers[0].w", "ok"), ("x", "ok")]


def test_a_mapping_of_an_array_and_its_gradient():
    class Pairs:
        def __init__(self, factor=1.0):
            self.factor, self.params = factor, {"w": {"value": np.ones(4), "grad": None}}

        def forward(self, x):
            self.x = x
            return x * self.params["w"]["value"]

        def backward(self, dout):
            self.params["w"]["grad"] = self.factor * (dout * self.x).sum(axis=0)
            return dout * self.params["w"]["value"]

    assert rows_of(check_gradients(Pairs(), X)) == [("params['w']['value']", "ok"), ("x", "ok")]
    assert not check_gradients(Pairs(2.0), X).ok


def test_parameters_may_have_numbers_for_names():
    class Numbered:
        def __init__(self, factor=1.0):
            self.factor, self.params, self.grads = factor, {0: np.ones(4)}, {}

        def forward(self, x):
            self.x = x
            return x * self.params[0]

        def backward(self, dout):
            self.grads = {0: self.factor * (dout * self.x).sum(axis=0)}
            return dout * self.params[0]

    assert rows_of(check_gradients(Numbered(), X)) == [("params[0]", "ok"), ("x", "ok")]
    assert not check_gradients(Numbered(2.0), X).ok
