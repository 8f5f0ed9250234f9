"""The gradient check: its report, users' own layers, invalid input, and arguments left unchanged."""

import copy
import json
import re
from contextlib import suppress

import numpy as np
import pytest
from right_layers import MaxPool

from backends import asarray, to_numpy
from backprop import MulLayer, TwoLayerNet, check_gradients
from backprop.layers import Affine, BatchNorm, ReLU, SoftmaxCrossEntropy
from backprop.networks.network import Network

X = np.random.default_rng(0).normal(size=(4, 3))


def words_of(text):
    """Return a wrapped text on one line."""
    return " ".join(str(text).split())


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
    assert lines[1].split() == ["array", "entries", "|gradient|", "max", "|diff|", "limit"]
    assert [line.split()[0] for line in lines[2:7]] == ["W1", "b1", "W2", "b2", "x"]
    assert lines[-1] == "all gradients agree"
    document = json.loads(json.dumps(report.to_dict()))
    assert document["ok"] is True
    assert document["arrays"][0]["entries"] == 12


@pytest.mark.parametrize("options", [{"method": "forward"}, {"mode": "slow"}])
def test_unknown_methods_and_modes(options):
    with pytest.raises(ValueError, match="(method must be one of central, complex|mode .* fast, full), got"):
        check_gradients(Scale(), X, **options)


def test_a_forward_that_returns_nothing_of_the_batch_is_no_crash():
    class Empty:
        def forward(self, x):
            return x[:0]

        def backward(self, dout):
            return dout

    (row,) = check_gradients(Empty(), X).arrays
    assert (row.verdict, row.ok) == ("wrong shape", False)


class Bias:
    """out = x + b, with the backward passed in."""

    def __init__(self, backward):
        self.params, self.grads, self.given = {"b": np.ones(3)}, {}, backward

    def forward(self, x):
        return x + self.params["b"]

    def backward(self, dout):
        return self.given(self.grads, dout)


def summed_over_everything(grads, dout):
    grads["b"] = dout.sum()
    return dout


def summed_over_the_features(grads, dout):
    grads["b"] = dout.sum(axis=1)
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
        (summed_over_everything, r"b: wrong shape: .* \(3,\), got \(\): it is summed over axis 0"),
        (
            summed_over_the_features,
            r"b: wrong shape: .* \(3,\), got \(4,\): with one sample fewer .*: it follows the batch",
        ),
        (keeping_an_axis, r"b: wrong shape: .* \(3,\), got \(1, 3\): its values are right when reshaped"),
        (summed_input, r"x: wrong shape: .* \(4, 3\), got \(3,\): it is summed over axis 0"),
        (writing_into_dout, "Bias: writes into dout: backward modifies dout in place"),
        (
            without_a_gradient,
            "b: missing gradient: backward stores no gradient for it; if it needs none, pass constants=",
        ),
        (
            returning_nothing,
            "x: missing gradient: backward returns no gradient for it; if it needs none, pass constants=",
        ),
        (returning_a_list, "x: missing gradient: its gradient must be an array of real numbers, got list"),
    ],
)
def test_what_cannot_be_compared_is_wrong_and_says_why(backward, words, mode):
    report = check_gradients(Bias(backward), X, mode=mode)
    assert not report.ok
    json.dumps(report.to_dict())
    with pytest.raises(AssertionError) as failed:
        report.assert_ok()
    assert re.search(words, words_of(failed.value))


def test_a_layer_without_parameters_and_a_list_as_input():
    class Square:
        def forward(self, x):
            self.x = x
            return x * x

        def backward(self, dout):
            return 2.0 * dout * self.x

    check_gradients(Square(), X.tolist(), mode="full").assert_ok()


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
    assert check_gradients(Scaled(1 + 1e-10), X, mode=mode, method="central").ok
    assert not check_gradients(Scaled(1 + 1e-6), X, mode=mode, method="central").ok


def test_errors_that_cancel_under_equal_weights_are_found():
    def reversed_rows(grads, dout):
        grads["b"] = dout.sum(axis=0)
        return dout[::-1]

    report = check_gradients(Bias(reversed_rows), X)
    assert [array.ok for array in report.arrays] == [True, False]


# ---------------------------------------------------------------------------------------- where the fault is


class OffByOne(Affine):
    """dW with one entry wrong."""

    place = (17, 3)

    def backward(self, dout):
        dx = super().backward(dout)
        wrong = np.zeros(self.params["W"].shape)
        wrong[self.place] = 1e-6
        self.grads["W"] = self.grads["W"] + asarray(wrong)
        return dx


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_entry_at_fault_is_found(backend, method, mode):
    layer = OffByOne.create(40, 7, weight_init_std=1.0, rng=0, dtype="float64")
    x = asarray(np.random.default_rng(1).normal(size=(3, 40)))
    report = check_gradients(layer, x, method=method, mode=mode)
    wrong = [array for array in report.arrays if not array.ok]
    assert [(array.name, array.index) for array in wrong] == [("W", [17, 3])]
    assert wrong[0].backward - wrong[0].numerical == pytest.approx(1e-6, rel=1e-2)


def test_bisection_finds_one_of_several_entries(backend):
    class Several(OffByOne):
        place = ([3, 17, 30], [1, 2, 5])

    layer = Several.create(40, 7, weight_init_std=1.0, rng=0, dtype="float64")
    x = np.random.default_rng(1).normal(size=(3, 40))
    (wrong,) = (array for array in check_gradients(layer, x).arrays if not array.ok)
    assert wrong.index in ([3, 1], [17, 2], [30, 5])


class Doubled(ReLU):
    def backward(self, dout):
        return 2.0 * super().backward(dout)


def test_the_layer_at_fault_is_named_in_a_network(backend):
    net = TwoLayerNet(3, 4, 2, weight_init_std=1.0, rng=0)
    net._layers["ReLU1"] = Doubled()
    report = check_gradients(net, X, [0, 1, 0, 1])
    verdicts = {array.name: (array.verdict, array.why) for array in report.arrays}
    assert verdicts["W2"] == verdicts["b2"] == ("ok", "")
    assert verdicts["W1"] == verdicts["b1"] == verdicts["x"] == ("constant factor", "see ReLU1")
    (fault,) = report.faults
    assert "the fault is in ReLU1: x[" in fault.why and "2 times the derivative" in fault.why


@pytest.mark.parametrize("seed", range(20))
def test_a_tie_elsewhere_hides_no_small_error(seed):
    """A jump at a tie is not a rounding error, so a difference of its size is no false alarm."""

    class Spoilt(MaxPool):
        def backward(self, dout):
            dx = super().backward(dout)
            dx[1, 0] *= 1.0 + 1e-6
            return dx

    assert not check_gradients(Spoilt(), np.array([[1e3, 1e3], [1e3, -1e3]]), rng=seed).ok


class InPlace(ReLU):
    """A layer that masks dout in place, which is harmless if nobody reads it again."""

    def backward(self, dout):
        dx = super().backward(dout)
        dout[...] = dx
        return dx


def test_a_harmless_fault_of_another_layer_is_not_the_reason():
    net = Network(
        {
            "A": Affine.create(3, 4, weight_init_std=1.0, rng=0),
            "Wrong": Doubled(),
            "B": Affine.create(4, 4, weight_init_std=1.0, rng=1),
            "InPlace": InPlace(),
            "C": Affine.create(4, 2, weight_init_std=1.0, rng=2),
        },
        SoftmaxCrossEntropy(),
        3,
        2,
    )
    report = check_gradients(net, X, [0, 1, 0, 1])
    assert {array.name: array.why for array in report.arrays if not array.ok} == dict.fromkeys(
        ["W1", "b1", "x"], "see Wrong"
    )


class BookAffine:
    """Affine as in the book: attributes, no mapping of parameters."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class BookRelu:
    def forward(self, x):
        self.alive = x > 0
        return x * self.alive

    def backward(self, dout):
        dout *= self.alive
        return dout


class BookLoss:
    def __init__(self, epsilon):
        self.epsilon = epsilon

    def forward(self, x, t):
        e = np.exp(x - x.real.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.log(self.y[np.arange(len(t)), t] + self.epsilon).mean()

    def backward(self, dout=1):
        return (self.y - np.eye(self.y.shape[1])[self.t]) / len(self.t)


class BookNet:
    def __init__(self, epsilon=1e-7, factor=1.0):
        rng = np.random.default_rng(0)
        self.params = {
            "W1": rng.normal(size=(3, 4)),
            "b1": np.zeros(4),
            "W2": rng.normal(size=(4, 3)),
            "b2": np.zeros(3),
        }
        p = self.params
        self.layers = {
            "A1": BookAffine(p["W1"], p["b1"]),
            "R": BookRelu(),
            "A2": BookAffine(p["W2"], p["b2"]),
        }
        self.lastLayer, self.factor = BookLoss(epsilon), factor

    def loss(self, x, t):
        for layer in self.layers.values():
            x = layer.forward(x)
        return self.lastLayer.forward(x, t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.lastLayer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        first, second = self.layers["A1"], self.layers["A2"]
        return {"W1": self.factor * first.dW, "b1": first.db, "W2": second.dW, "b2": second.db}


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_book_s_network_has_an_epsilon_in_its_loss_and_nothing_worse(method):
    t = np.array([0, 1, 2, 1])
    check_gradients(BookNet(epsilon=0.0), X, t, method=method).assert_ok()
    report = check_gradients(BookNet(), X, t, method=method)
    assert {array.verdict for array in report.arrays} == {"epsilon in the loss"}
    (fault,) = report.faults
    assert "the fault is in BookLoss" in fault.why and "an epsilon of 1e-07" in fault.why


def test_what_does_no_harm_in_a_network_is_not_blamed_there():
    report = check_gradients(BookNet(epsilon=0.0, factor=0.25), X, np.array([0, 1, 2, 1]))
    assert [fault.kind for fault in report.faults] == ["writes into dout"]
    verdicts = {array.name: array.verdict for array in report.arrays}
    assert verdicts == {"W1": "constant factor", "b1": "ok", "W2": "ok", "b2": "ok"}


def test_arrays_that_are_attributes_are_checked_too():
    W, b = np.random.default_rng(0).normal(size=(3, 4)), np.ones(4, dtype="float32")
    report = check_gradients(BookAffine(W, b), X)
    report.assert_ok()
    assert [array.name for array in report.arrays] == ["W", "b", "x"] and report.subject == "BookAffine"

    class Wrong(BookAffine):
        def backward(self, dout):
            dx = super().backward(dout)
            self.dW = -3.0 * self.dW
            return dx

    layer = Wrong(W, b)
    report = check_gradients(layer, X, mode="full")
    assert {a.name: a.verdict for a in report.arrays} == {"W": "constant factor", "b": "ok", "x": "ok"}
    assert set(vars(layer)) == {"W", "b"} and layer.W is W


def test_a_network_s_gradients_are_those_that_it_returns():
    class Energy:
        def __init__(self):
            self.W = np.ones(3)

        def loss(self, x, t):
            return (x * x * self.W).sum()

        def gradient(self, x, t, input_gradient=False):
            self.dW = (x * x).sum(axis=0)
            return {"x": 2.0 * x * self.W}

    report = check_gradients(Energy(), X, None)
    assert [(array.name, array.verdict) for array in report.arrays] == [("x", "ok"), ("W", "not compared")]
    check_gradients(Energy(), X, None, constants=["W"]).assert_ok()


def test_a_last_layer_is_checked_as_the_network_uses_it():
    class ForgotN(BookLoss):
        def backward(self, dout=1):
            return super().backward() * len(self.t)

    net = BookNet()
    net.lastLayer = ForgotN(0.0)
    report = check_gradients(net, X, np.array([0, 1, 2, 1]))
    assert {array.verdict for array in report.arrays} == {"constant factor"}
    assert "a division by N is missing" in words_of(report)


# ------------------------------------------------------------------------- kinks, and what is not analytic


def test_a_kink_within_the_step_shows_both_slopes():
    x = np.array([[1e-7, -2e-7, 1.0]])
    report = check_gradients(ReLU(), x, method="central", mode="full")
    report.assert_ok()
    assert report.arrays[0].verdict == "kink"
    words = words_of(report)
    found = re.search(r"kink: at \[0, [01]\] the slope is (\S+) on the left and (\S+) on the right", words)
    left, right = map(float, found.groups())
    assert left == pytest.approx(0.0, abs=1e-8)
    assert 0.5 <= abs(right) <= 1.5  # the random dout


def test_a_wrong_gradient_at_a_kink_is_wrong():
    class Beyond(ReLU):
        def backward(self, dout):
            return super().backward(dout) + 3.0 * dout

    for method in ("complex", "central"):
        assert not check_gradients(Beyond(), np.array([[0.0, 1.0]]), method=method).ok


def test_a_forward_that_is_not_analytic_is_checked_by_central_differences():
    class Magnitude:
        def forward(self, x):
            self.x = x
            return abs(x)

        def backward(self, dout):
            return dout * np.sign(self.x)

    report = check_gradients(Magnitude(), X)
    report.assert_ok()
    assert report.method == "central"
    assert "since forward is not analytic: it returns real numbers for complex input" in words_of(report)


class Regularized:
    """Σ x² + λ Σ |x|: the complex step sees only the first term."""

    def __init__(self, share):
        self.share = share

    def forward(self, x):
        self.x = x
        return (x * x).sum() + 1e-5 * abs(x).sum()

    def backward(self, dout=1.0):
        return dout * (2.0 * self.x + self.share * 1e-5 * np.sign(self.x))


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("method", ["complex", "central"])
def test_a_small_term_that_is_not_analytic_is_seen(method, mode):
    check_gradients(Regularized(1.0), X, method=method, mode=mode).assert_ok()
    assert not check_gradients(Regularized(0.0), X, method=method, mode=mode).ok


def test_one_entry_that_is_not_analytic_among_many():
    class OneMagnitude:
        def __init__(self, share):
            self.share = share

        def forward(self, x):
            self.x, out = x, x * x
            out[3, 4] = abs(x[3, 4])
            return out

        def backward(self, dout):
            dx = 2.0 * dout * self.x
            dx[3, 4] = self.share * dout[3, 4] * np.sign(self.x[3, 4])
            return dx

    x = np.random.default_rng(0).normal(size=(50, 40))
    check_gradients(OneMagnitude(1.0), x).assert_ok()
    assert not check_gradients(OneMagnitude(0.5), x).ok


# -------------------------------------------------------------------------------------------- several inputs


def test_every_input_that_backward_has_a_gradient_for_is_checked(backend):
    report = check_gradients(MulLayer(), asarray(X), asarray(X[0]))
    report.assert_ok()
    assert [(array.name, array.entries) for array in report.arrays] == [("x", 12), ("y", 3)]
    check_gradients(MulLayer(), 100.0, 2.0).assert_ok()


def test_inputs_without_a_gradient_stay_what_they_are():
    class Picked:
        def forward(self, x, rows):
            self.shape, self.rows = x.shape, rows
            assert rows.dtype.kind == "i"
            return x[rows]

        def backward(self, dout):
            dx = np.zeros(self.shape)
            np.add.at(dx, self.rows, dout)
            return dx, None

    check_gradients(Picked(), X, np.array([0, 2, 2])).assert_ok()


class Mixed:
    """x y + z, with the gradients passed in, one or None for each input."""

    def __init__(self, forward, gradients):
        self.forward_, self.gradients = forward, gradients
        self.forward = lambda *inputs: self.keep(*inputs)
        if forward == "names":
            self.forward = lambda h, x, z: self.keep(h, x, z)

    def __deepcopy__(self, memo):
        return type(self)(self.forward_, self.gradients)

    def keep(self, *inputs):
        self.inputs = inputs
        return inputs[0] * inputs[1] + inputs[2]

    def backward(self, dout):
        x, y, _ = self.inputs
        return tuple(
            None if factor is None else factor * gradient
            for factor, gradient in zip(self.gradients, (dout * y, dout * x, dout), strict=True)
        )


@pytest.mark.parametrize("forward", ["names", "any number"])
@pytest.mark.parametrize(
    ("gradients", "right"),
    [
        ((1.0, 1.0, 1.0), [True, True, True]),
        ((2.0, 1.0, 1.0), [False, True, True]),
        ((1.0, 2.0, 1.0), [True, False, True]),
        ((1.0, None, 2.0), [True, False]),
    ],
)
def test_no_input_goes_unchecked(forward, gradients, right):
    report = check_gradients(Mixed(forward, gradients), X, X[::-1].copy(), 2.0 * X)
    assert [array.ok for array in report.arrays] == right
    assert len({array.name for array in report.arrays}) == len(right)


def test_params_of_a_class_are_not_touched():
    class Shared:
        params, grads = {"w": np.array([1.0, 2.0, 3.0], dtype="float32")}, {}

        def forward(self, x):
            self.x = x
            return x * self.params["w"]

        def backward(self, dout):
            self.grads["w"] = (dout * self.x).sum(axis=0)
            return dout * self.params["w"]

    check_gradients(Shared(), X, mode="full").assert_ok()
    assert Shared.params["w"].tolist() == [1.0, 2.0, 3.0] and Shared.grads == {}


@pytest.mark.parametrize("wrong", [np.zeros((0, 3)), np.ma.ones((4, 3)), np.ones((4, 3)) * 1j, "text"])
def test_gradients_of_no_use(wrong):
    class Odd(Identity):
        def backward(self, dout):
            return wrong

    (array,) = check_gradients(Odd(), X).arrays
    assert array.verdict in ("wrong shape", "missing gradient")


def test_a_flat_place_is_not_taken_for_a_copy():
    class WithoutMask(ReLU):
        def backward(self, dout):
            super().backward(dout)
            return dout

    (array,) = check_gradients(WithoutMask(), X - 9.0).arrays
    assert array.verdict not in ("no response", "ok")


def test_the_report_has_no_nan_in_json():
    report = check_gradients(Bias(returning_nothing), X)
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["arrays"][1]["backward"] is None


# ------------------------------------------------------------------------------------------------- bad input


class Identity:
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class With(Identity):
    """Identity with a parameter."""

    def __init__(self, **params):
        self.params, self.grads = params, {}


class Returning(Identity):
    def __init__(self, function):
        self.function = function

    def forward(self, x):
        return self.function(x)


class WithoutParams:
    def loss(self, x, t):
        return 0.5 * (x * x).sum()

    def gradient(self, x, t):
        return {"x": x}


class Uncopyable(Identity):
    def __deepcopy__(self, memo):
        raise ValueError("a lock")


NO_BACKWARD = type("NoBackward", (), {"forward": lambda self, x: x})


@pytest.mark.parametrize(
    ("obj", "inputs", "error", "words"),
    [
        (NO_BACKWARD(), [X], TypeError, "NoBackward has no backward under a known name"),
        (object(), [X], TypeError, "object has no forward and no backward"),
        (ReLU, [X], TypeError, r"obj must be an object, not its class: pass ReLU\(...\)"),
        (Identity(), [], TypeError, "pass the inputs of Identity as well"),
        (Identity(), [X * 1j], TypeError, "the input must hold real numbers, got complex128"),
        (Identity(), [np.ones((0, 3))], ValueError, r"the input must not be empty, .*\(0, 3\)"),
        (Identity(), [[[1.0, np.nan]]], ValueError, r"the input must be finite, got nan at \[0, 1\]"),
        (Identity(), ["text"], TypeError, "the input must hold numbers, got <U4 from str"),
        (
            With(w=np.array([1, 2])),
            [X],
            TypeError,
            r"params\['w'\] must hold real floating-point numbers, got int",
        ),
        (With(w=np.array([1j])), [X], TypeError, r"params\['w'\] must hold real .* got complex128"),
        (With(w=np.array([1.0, np.inf])), [X], ValueError, r"params\['w'\] must be finite, got inf at \[1\]"),
        (With(w=np.ones(0)), [X], ValueError, r"params\['w'\] must not be empty"),
        (With(w=[1.0]), [X], TypeError, r"params\['w'\] must be an array, got list"),
        (Returning(lambda x: (x, x)), [X], TypeError, "Returning.forward must return one array, got tuple"),
        (Returning(lambda x: None), [X], TypeError, "must return one array, got NoneType"),
        (Returning(lambda x: x > 0), [X], TypeError, "must return real floating-point numbers, got bool"),
        (Returning(lambda x: x * np.inf), [X], ValueError, r"returns -?inf at \[0, 0\] for this input"),
        (WithoutParams(), [X, 0], TypeError, "there is nothing to compare"),
        (With(w=np.float64(1.0)), [X], TypeError, "must be an array, got numpy.float64"),
        (Uncopyable(), [X], TypeError, "works on a deep copy, but Uncopyable cannot be copied: a lock"),
        (TwoLayerNet(3, 4, 2, rng=0), [X, [0, 1, 0]], ValueError, "labels must have shape"),
    ],
)
@pytest.mark.parametrize("method", ["complex", "central"])
def test_one_clear_error_each(obj, inputs, error, words, method):
    with pytest.raises(error, match=words):
        check_gradients(obj, *inputs, method=method)


def test_another_backend_is_named():
    strict = pytest.importorskip("array_api_strict")
    from backends.testing import backend_or_skip

    backend_or_skip("array_api_strict")
    for obj in (TwoLayerNet(3, 4, 2, rng=0), With(w=np.ones(3))):
        with pytest.raises(
            TypeError, match="on backend numpy, got an array of array_api_strict; move one of them"
        ):
            check_gradients(obj, strict.asarray(X), [0, 1, 0, 1])


# ---------------------------------------------------------------------------------- what was passed in stays


class Interrupted(Scale):
    """A layer that overwrites its arguments and raises in a later forward."""

    calls = 0
    at, error = 0, KeyboardInterrupt

    def forward(self, x, *rest):
        type(self).calls += 1
        out = super().forward(x)
        if type(self).calls == self.at:
            x[...] = 7.0
            self.w[...] = 7.0
            for array in rest:
                array[...] = 7
            raise self.error
        return out


@pytest.mark.parametrize("at", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_whatever_happens_in_between(at, error):
    cls = type("Now", (Interrupted,), {"at": at, "error": error})
    layer, x, labels = cls(), X.copy(), np.arange(4)
    layer.grads["w"] = np.full(3, 0.5)
    before = copy.deepcopy((layer.__dict__, x, labels))
    with suppress(error):
        check_gradients(layer, x, labels, mode="full")
    now = (layer.__dict__, x, labels)
    for mine, kept in ((now[1], before[1]), (now[2], before[2]), (now[0]["w"], before[0]["w"])):
        assert mine.tobytes() == kept.tobytes()
    assert now[0]["params"]["w"] is now[0]["w"]
    assert now[0]["grads"]["w"].tobytes() == before[0]["grads"]["w"].tobytes()
    assert set(now[0]) == set(before[0])


def test_a_network_and_its_kept_forward_stay(backend):
    net = TwoLayerNet(3, 4, 2, weight_init_std=1.0, rng=0)
    x, t = asarray(X, "float32"), [0, 1, 0, 1]
    gradients = {name: to_numpy(g).copy() for name, g in net.gradient(x, t).items()}
    layer, ones = net.layers["Affine1"], asarray(np.ones((4, 4)), "float32")
    layer.forward(x)
    layer.backward(ones)
    layer.forward(x)
    params, grads = to_numpy(net.params.flat).tobytes(), to_numpy(layer.grads["W"]).tobytes()
    for mode in ("fast", "full"):
        check_gradients(net, x, t, mode=mode).assert_ok()
    assert to_numpy(net.params.flat).tobytes() == params
    assert to_numpy(layer.grads["W"]).tobytes() == grads
    assert to_numpy(x).tobytes() == X.astype("float32").tobytes()
    layer.backward(ones)  # its forward has not been consumed
    for name, gradient in net.gradient(x, t).items():
        np.testing.assert_array_equal(to_numpy(gradient), gradients[name])


@pytest.mark.parametrize("method", ["complex", "central"])
def test_running_statistics_stay_and_do_not_count(backend, method):
    net = Network(
        [Affine(4), BatchNorm(), ReLU(), Affine(2)], SoftmaxCrossEntropy(), 3, dtype="float64", rng=0
    )
    net.gradient(X, [0, 1, 0, 1])
    before = {name: to_numpy(array).tobytes() for name, array in net.state.items()}
    for mode in ("fast", "full"):
        report = check_gradients(net, X, [0, 1, 0, 1], method=method, mode=mode)
        report.assert_ok()
        assert [array.name for array in report.arrays] == [*net.params, "x"]
    assert {name: to_numpy(array).tobytes() for name, array in net.state.items()} == before
