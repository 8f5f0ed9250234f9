"""The first run of a layer: arrays that it creates, generators that it uses, the form of its inputs."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from backprop import Adapter, MulLayer, check_gradients

MODES = pytest.mark.parametrize("mode", ["fast", "full"])
X = np.random.default_rng(1).normal(size=(5, 4))


def rows(report):
    return {array.name: array.verdict for array in report.arrays}


class Thinned:
    """A dropout with a generator and a scale that the first forward creates."""

    seed, factor = 3, 1.0

    def __init__(self):
        self.rng = self.scale = self.dscale = None

    def forward(self, x):
        if self.rng is None:
            self.rng = np.random.default_rng(self.seed)
            self.scale, self.dscale = np.full(x.shape[1], 1.5), np.zeros(x.shape[1])
        self.kept = x * (self.rng.random(x.shape) < 0.6)
        return self.kept * self.scale

    def backward(self, dout):
        self.dscale = self.factor * (dout * self.kept).sum(axis=0)
        return dout * (self.kept != 0) * self.scale


class Unscaled:
    """A dropout with a generator that the first forward creates."""

    rng = None

    def forward(self, x):
        self.rng = self.rng or np.random.default_rng(3)
        self.kept = self.rng.random(x.shape) < 0.6
        return x * self.kept

    def backward(self, dout):
        return dout * self.kept


class Unseeded(Thinned):
    seed = None


class Steep(Thinned):
    factor = 1.01


@MODES
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Thinned, {"scale": "ok", "x": "ok"}),
        (Unseeded, {"scale": "ok", "x": "ok"}),
        (Unscaled, {"x": "ok"}),
        (Steep, {"scale": "constant factor", "x": "ok"}),
    ],
)
def test_a_generator_that_the_first_forward_makes_is_held(kind, expected, mode):
    report = check_gradients(kind(), X, mode=mode)
    assert rows(report) == expected and not report.faults


def test_of_a_hidden_state_nothing_else_is_claimed():
    class Counting(Thinned):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return super().forward(x) * self.calls

    report = check_gradients(Counting(), X)
    assert [fault.kind for fault in report.faults] == ["hidden state"]
    assert set(rows(report).values()) == {"not compared"}


class Windows:
    """A weighted sum over neighbours, read through a read-only view."""

    def __init__(self):
        self.w, self.dw = np.array([1.0, -2.0]), None

    def forward(self, x):
        self.seen = sliding_window_view(x, 2, axis=1)
        return self.seen @ self.w

    def backward(self, dout):
        self.dw = np.einsum("ij,ijk->k", dout, self.seen)
        dx = np.zeros((dout.shape[0], dout.shape[1] + 1))
        dx[:, :-1] += dout * self.w[0]
        dx[:, 1:] += dout * self.w[1]
        return dx


@MODES
def test_views_that_are_read_only_are_left_as_they_are(mode):
    assert rows(check_gradients(Windows(), X, mode=mode)) == {"w": "ok", "x": "ok"}


class Looked:
    """Rows of a table; the layer casts their numbers to integers itself."""

    factor = 1.0

    def __init__(self):
        self.W = np.random.default_rng(0).normal(size=(6, 3))

    def forward(self, ids):
        self.ids = np.clip(np.asarray(ids).astype(int), 0, 5)
        return self.W[self.ids]

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.ids, self.factor * dout)
        return np.zeros(self.ids.shape)


@MODES
def test_integers_that_are_cast_are_indices(mode):
    ids = np.array([[0, 2, 1], [3, 3, 5]])
    assert rows(check_gradients(Looked(), ids, mode=mode)) == {"W": "ok"}
    layer = Looked()
    layer.factor = 2.0
    assert rows(check_gradients(layer, ids, mode=mode)) == {"W": "constant factor"}


def test_integers_that_are_values_are_compared():
    class Squared:
        def forward(self, x):
            self.x = x
            return x * x

        def backward(self, dout):
            return 2 * dout * self.x

    assert rows(check_gradients(Squared(), np.array([[1, -2, 3]]))) == {"x": "ok"}


def test_integers_that_have_no_say_are_compared():
    assert rows(check_gradients(MulLayer(), 100, 0)) == {"x": "zero", "y": "ok"}


class Weighed:
    """A layer that takes its inputs in one list."""

    def forward(self, both):
        self.a, self.b, self.c = both
        return self.a * self.b - self.c

    def backward(self, dout):
        return [dout * self.b, dout * self.a, -dout]


def test_several_inputs_in_one_list_are_refused_with_an_adapter_that_works():
    inputs = X, X + 1.0, X * X
    with pytest.raises(TypeError, match="takes a list of inputs") as caught:
        check_gradients(Weighed(), list(inputs))
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    cure = message[message.index("Adapter(") :].removesuffix(" instead")
    adapter = eval(cure, {"Adapter": Adapter, "layer": Weighed()})
    assert rows(check_gradients(adapter, *inputs)) == {"x": "ok", "b": "ok", "c": "ok"}


class Stretched:
    """A layer that updates itself; the update of the shift is not summed over samples."""

    def __init__(self):
        self.shift = np.zeros((4, 1))

    def forward(self, x):
        return np.tanh(x) + self.shift if x.shape[0] == 4 else x

    def backward(self, dout, learning_rate):
        self.shift = self.shift - learning_rate * dout
        return dout


def test_an_update_that_gives_an_array_another_shape_is_a_gradient_of_that_shape():
    report = check_gradients(Stretched(), X.T)
    assert rows(report)["shift"] == "wrong shape"
    assert "(4, 1), got (4, 5): a sum over axis 1 is missing" in str(report).replace("\n  ", " ")


class Gathering:
    """A layer that adds to its gradient and keeps its inputs until it is cleared."""

    def __init__(self):
        self.w, self.dw, self.seen = np.ones(4), np.zeros(4), []

    def flush_gradients(self):
        self.dw, self.seen = np.zeros(4), []

    def forward(self, x):
        self.seen.append(x)
        return x * self.w

    def backward(self, dout):
        self.dw += sum((dout * x).sum(axis=0) for x in self.seen)
        return dout * self.w


@MODES
def test_gradients_that_a_method_clears_are_cleared_before_each_forward(mode):
    assert rows(check_gradients(Gathering(), X, mode=mode)) == {"w": "ok", "x": "ok"}


def test_a_single_constant_need_not_be_in_a_list():
    assert rows(check_gradients(Windows(), X, constants="w")) == {"x": "ok"}
