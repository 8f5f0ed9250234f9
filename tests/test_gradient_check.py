"""The report of a gradient check: what it says, a layer of one's own, what it refuses."""

import json

import numpy as np
import pytest

from backprop import TwoLayerNet, check_gradients

X = np.random.default_rng(0).normal(size=(4, 3))


class Scale:
    """A user's own layer: no base class, the array under two names."""

    def __init__(self, factor=1.0):
        self.w = np.array([1.0, 2.0, 3.0], dtype="float32")
        self.params, self.grads, self.factor = {"w": self.w}, {}, factor

    def forward(self, x):
        self.x = x
        return x * self.w

    def backward(self, dout):
        self.grads["w"] = self.factor * (dout * self.x).sum(axis=0)
        return dout * self.w


def test_a_layer_of_ones_own():
    layer = Scale()
    for mode in ("fast", "full"):
        check_gradients(layer, X, mode=mode).assert_ok()
    assert layer.w.dtype == "float32"
    assert not hasattr(layer, "x")


def test_one_wrong_parameter_is_told_from_the_right_ones():
    report = check_gradients(Scale(factor=-1.0), X, mode="full")
    assert {array.name: array.ok for array in report.arrays} == {"w": False, "x": True}
    wrong = report.arrays[0]
    assert wrong.backward == pytest.approx(-wrong.numerical)
    with pytest.raises(AssertionError, match=rf"w\[{wrong.index[0]}\]: backward"):
        report.assert_ok()


def test_a_gradient_that_is_no_number_is_wrong():
    assert not check_gradients(Scale(factor=np.nan), X).ok


def test_the_report_is_a_table_and_json():
    report = check_gradients(TwoLayerNet(3, 4, 2, rng=0), X, [0, 1, 0, 1], mode="full")
    lines = str(report).splitlines()
    assert lines[0] == "TwoLayerNet: backward against the complex step, every entry"
    assert lines[1].split() == ["array", "entries", "mean", "|diff|", "max", "|diff|", "limit"]
    assert [line.split()[0] for line in lines[2:7]] == ["W1", "b1", "W2", "b2", "x"]
    assert lines[-1] == "all gradients agree"
    document = json.loads(json.dumps(report.to_dict()))
    assert document["ok"] is True
    assert document["arrays"][0]["entries"] == 12


@pytest.mark.parametrize("options", [{"method": "forward"}, {"mode": "slow"}])
def test_unknown_methods_and_modes(options):
    with pytest.raises(ValueError, match="method must be one of central, complex and mode one of fast, full"):
        check_gradients(Scale(), X, **options)


def test_an_input_that_is_not_real():
    with pytest.raises(TypeError, match="the input must hold real numbers, at least one, got complex128"):
        check_gradients(Scale(), X * 1j)


class Bias:
    """out = x + b, with a backward that is given."""

    def __init__(self, backward):
        self.params, self.grads, self.given = {"b": np.ones(3)}, {}, backward

    def forward(self, x):
        return x + self.params["b"]

    def backward(self, dout):
        return self.given(self.grads, dout)


def summed_over_everything(grads, dout):
    grads["b"] = dout.sum()
    return dout


def keeping_an_axis(grads, dout):
    grads["b"] = dout.sum(axis=0, keepdims=True)
    return dout


def summed_input(grads, dout):
    grads["b"] = dout.sum(axis=0)
    return dout.sum(axis=0)


def writing_into_dout(grads, dout):
    grads["b"] = dout.sum(axis=0)
    dout *= 2.0
    return dout / 2.0


def without_a_gradient(grads, dout):
    return dout


def returning_nothing(grads, dout):
    grads["b"] = dout.sum(axis=0)


def returning_a_list(grads, dout):
    grads["b"] = dout.sum(axis=0)
    return dout.tolist()


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize(
    ("backward", "words"),
    [
        (summed_over_everything, r"b: its gradient must have its shape, \(3,\), got \(\)"),
        (keeping_an_axis, r"b: its gradient must have its shape, \(3,\), got \(1, 3\)"),
        (summed_input, r"x: its gradient must have its shape, \(4, 3\), got \(3,\)"),
        (writing_into_dout, "b: backward writes into dout"),
        (without_a_gradient, "b: backward leaves no gradient of it"),
        (returning_nothing, "x: backward leaves no gradient of it"),
        (returning_a_list, "x: its gradient is no array but list"),
    ],
)
def test_what_cannot_be_compared_is_wrong_and_says_why(backward, words, mode):
    report = check_gradients(Bias(backward), X, mode=mode)
    assert not report.ok
    json.dumps(report.to_dict())
    with pytest.raises(AssertionError, match=words):
        report.assert_ok()


def test_a_layer_without_parameters_and_a_list_as_input():
    class Square:
        def forward(self, x):
            self.x = x
            return x * x

        def backward(self, dout):
            return 2.0 * dout * self.x

    check_gradients(Square(), X.tolist(), mode="full").assert_ok()


def test_inputs_that_say_nothing():
    with pytest.raises(TypeError, match=r"at least one, got float64 \(0, 3\)"):
        check_gradients(Scale(), np.ones((0, 3)))
    with pytest.raises(TypeError, match="give Scale's inputs"):
        check_gradients(Scale())


def test_a_notebook_shows_the_table():
    report = check_gradients(Scale(), X)
    assert repr(report) == str(report)


class Scaled(Bias):
    """A gradient that is off by a small factor."""

    def __init__(self, factor):
        super().__init__(None)
        self.factor = factor

    def backward(self, dout):
        self.grads["b"] = self.factor * dout.sum(axis=0)
        return self.factor * dout


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_the_checks_are_as_sharp_as_they_say(mode):
    assert not check_gradients(Scaled(1 + 1e-9), X, mode=mode).ok
    assert check_gradients(Scaled(1 + 1e-9), X, mode=mode, method="central").ok
    assert not check_gradients(Scaled(1 + 1e-3), X, mode=mode, method="central").ok


def test_errors_that_cancel_under_equal_weights_are_found():
    def reversed_rows(grads, dout):
        grads["b"] = dout.sum(axis=0)
        return dout[::-1]

    report = check_gradients(Bias(reversed_rows), X)
    assert [array.ok for array in report.arrays] == [True, False]
