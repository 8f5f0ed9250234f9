"""Losses in the usual styles: at the end of a chain, where dout is 1; with targets in both passes."""

import numpy as np
import pytest

from backprop import check_gradients
from backprop.gradient_check import Adapter

X = np.random.default_rng(0).normal(size=(5, 4))
T = np.random.default_rng(1).normal(size=(5, 4))


def rows_of(report):
    return [(array.name, array.verdict) for array in report.arrays]


class Last:
    """The squared error at the end of a chain: its dout is always 1."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, x, t):
        self.d = self.factor * 2.0 * (x - t)
        return ((x - t) ** 2).sum()

    def backward(self, dout=1):
        return self.d


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("method", ["complex", "central"])
def test_a_loss_that_takes_dout_as_1_is_right_and_told_so(method, mode):
    report = check_gradients(Last(), X, T, method=method, mode=mode)
    assert report.ok and rows_of(report) == [("x", "ok, ignores dout")]
    assert "right for dout = 1, which it assumes" in " ".join(str(report).split())
    wrong = check_gradients(Last(20.0), X, T, method=method, mode=mode)
    assert rows_of(wrong) == [("x", "constant factor")] and "20 times" in str(wrong)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_an_adapter_of_a_loss_may_do_without_dout(factor):
    adapter = Adapter(Last(factor), backward=lambda layer, dout: layer.backward())
    assert check_gradients(adapter, X, T).ok == (factor == 1.0)


def test_a_layer_that_ignores_dout_and_a_loss_of_which_one_gradient_does_stay_wrong():
    class PerSample(Last):
        def forward(self, x, t):
            super().forward(x, t)
            return ((x - t) ** 2).sum(axis=1)

    assert rows_of(check_gradients(PerSample(), X, T)) == [("x", "ignores dout")]

    class Weighted:
        def __init__(self):
            self.w = np.ones(4)

        def forward(self, x):
            self.x = x
            return (x * self.w).sum()

        def backward(self, dout):
            self.dw = self.x.sum(axis=0)
            return dout * self.w * np.ones(self.x.shape)

    assert rows_of(check_gradients(Weighted(), X)) == [("w", "ignores dout"), ("x", "ok")]


# ---------------------------------------------------------------------------------- targets in both passes


P = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
LABELS = np.array([0, 1, 2, 3, 0])


class OfSamples:
    """A loss for each sample in forward, their mean in `calculate`, whose gradient backward returns."""

    factor = 1.0

    def forward(self, y_pred, y_true):
        return -np.log(y_pred[range(len(y_pred)), y_true])

    def calculate(self, output, y):
        return self.forward(output, y).mean()

    def backward(self, dvalues, y_true):
        self.dinputs = -self.factor * np.eye(4)[y_true] / dvalues / len(dvalues)


@pytest.mark.parametrize("made", [lambda loss: loss, lambda loss: Adapter(loss, forward="calculate")])
def test_a_loss_for_each_sample_is_checked_as_their_mean(made):
    assert rows_of(check_gradients(made(OfSamples()), P, LABELS)) == [("x", "ok")]
    wrong = OfSamples()
    wrong.factor = 5.0
    assert rows_of(check_gradients(made(wrong), P, LABELS)) == [("x", "constant factor")]


def half(forward, backward, out, gradient):
    """Return the passes of a loss of half the squares with these signatures and formulas."""
    scope = {"np": np}
    exec(f"def out(self, {forward}): return {out}\ndef back(self, {backward}): return {gradient}", scope)
    return scope["out"], scope["back"]


@pytest.mark.parametrize(
    ("forward", "backward", "gradient"),
    [
        ("output, y", "predictions, y_true", "predictions - y_true"),
        ("x, labels", "y_hat, t", "y_hat - t"),
        ("yPred, yTrue", "y_pred, y_true", "y_pred - y_true"),
        ("predicted, y", "grad_loss, yhat, target", "grad_loss * (yhat - target)"),
    ],
)
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_targets_and_predictions_under_other_names_in_backward(forward, backward, gradient, factor):
    first, second = forward.split(", ")
    out = f"0.5 * (({first} - {second}) ** 2).sum()"
    passes = half(forward, backward, out, f"{factor} * {gradient}")
    loss = type("Half", (), dict(zip(("forward", "backward"), passes, strict=True)))()
    assert check_gradients(loss, X, T).ok == (factor == 1.0)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_loss_of_two_inputs_with_the_derivatives_by_both(factor):
    class Energy:
        def __call__(self, a, b):
            return (a * a * b).mean()

        def derivative(self, a, b):
            return 2.0 * a * b / a.size, factor * a * a / a.size

    report = check_gradients(Energy(), X, T)
    assert [(array.name, array.ok) for array in report.arrays] == [("x", True), ("b", factor == 1.0)]


# --------------------------------------------------------------------------------- derivatives by their names


@pytest.mark.parametrize("factor", [1.0, 2.0])
@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        ("apply_activation", "compute_derivative"),
        ("applyActivation", "computeDerivative"),
        ("direct", "prime"),
        ("squash", "slope"),
        ("squash", "my_gradient"),
    ],
)
def test_a_slope_is_multiplied_by_dout_also_where_an_adapter_names_it(forward, backward, factor):
    scope = {
        forward: lambda self, x: np.tanh(x),
        backward: lambda self, x: factor * (1.0 - np.tanh(x) ** 2),
    }
    layer = type("Tanh", (), scope)()
    assert check_gradients(Adapter(layer, forward=forward, backward=backward), X).ok == (factor == 1.0)
    if forward != "squash":
        assert check_gradients(layer, X).ok == (factor == 1.0)


@pytest.mark.parametrize("factor", [1.0, 2.0])
@pytest.mark.parametrize(
    ("takes", "gradient"),
    [
        ("output, output_error", "output_error * output"),
        ("d, y", "d * y"),
        ("dA, a", "dA * a"),
    ],
)
def test_backward_is_handed_forward_s_output_by_its_names(takes, gradient, factor):
    passes = half("x", takes, "np.exp(x)", f"{factor} * {gradient}")
    layer = type("Exp", (), dict(zip(("forward", "backward"), passes, strict=True)))()
    assert check_gradients(layer, X).ok == (factor == 1.0)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_derivative_that_takes_a_dout_is_handed_one(factor):
    passes = half("x", "d", "3.0 * x", f"{factor} * 3.0 * d")
    layer = type("Triple", (), dict(zip(("forward", "gradient"), passes, strict=True)))()
    assert check_gradients(layer, X).ok == (factor == 1.0)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_the_predictions_of_a_loss_with_its_softmax_are_what_it_keeps_as_its_output(factor):
    class Both:
        def forward(self, inputs, y_true):
            e = np.exp(inputs)
            self.output = e / e.sum(axis=1, keepdims=True)
            return -np.log(self.output[range(len(y_true)), y_true]).mean()

        def backward(self, dvalues, y_true):
            self.dinputs = factor * (dvalues - np.eye(4)[y_true]) / len(dvalues)

    assert check_gradients(Both(), X, LABELS).ok == (factor == 1.0)


@pytest.mark.parametrize("name", ["y", "targets", "Y"])
def test_a_target_that_forward_is_not_given_is_not_taken_for_dout(name):
    scope = {}
    exec(f"def backward(self, {name}): return self.out - {name}", scope)

    class Net:
        backward = scope["backward"]

        def forward(self, x):
            self.out = x
            return x

    with pytest.raises(TypeError, match=f"backward takes {name}, which the check cannot fill in"):
        check_gradients(Net(), X)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("follow", [abs, lambda dout: max(dout, 0.0), lambda dout: min(max(dout, -1.0), 1.0)])
def test_gradients_of_a_loss_that_do_not_follow_dout_are_a_fault(follow, seed):
    class Squares:
        def forward(self, y, t):
            self.y, self.t = y, t
            return ((y - t) ** 2).sum()

        def backward(self, dout):
            return 2.0 * (self.y - self.t) * follow(dout)

    y = np.random.default_rng(0).normal(size=(4, 3))
    report = check_gradients(Squares(), y, 0.5 * y, rng=seed)
    assert not report and [fault.kind for fault in report.faults] == ["not linear in dout"]
