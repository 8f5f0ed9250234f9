"""Limits: relative however small the gradient is, measured if it is all rounding, never infinite."""

import json
import subprocess
import sys

import numpy as np
import pytest
from right_layers import Own, X

from backprop import TwoLayerNet, check_gradients
from backprop.layers import Affine, BatchNorm, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks.network import Network

METHODS = ("complex", "central")
MODES = ("fast", "full")
EVERY = pytest.mark.parametrize(("method", "mode"), [(method, mode) for method in METHODS for mode in MODES])


class Formula(Own):
    """out = f(x), whose backward is g(x, dout)."""

    def __init__(self, f, g):
        super().__init__()
        self.f, self.g = f, g

    def forward(self, x):
        self.x = x
        return self.f(x)

    def backward(self, dout):
        return self.g(self.x, dout)


def verdict_of(f, g, x=X, **options):
    report = check_gradients(Formula(f, g), x, **options)
    json.dumps(report.to_dict(), allow_nan=False)
    assert max(map(len, str(report).splitlines())) <= 80
    assert report.ok == bool(report) == report.arrays[0].ok
    return report.arrays[0].verdict


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


# --------------------------------------------------------------------------------------------- what is not ok


def test_a_report_that_is_not_ok_is_false():
    with pytest.raises(AssertionError):
        assert check_gradients(Formula(lambda x: 2.0 * x, lambda x, dout: 7.0 * dout), X)
    assert check_gradients(Formula(lambda x: 2.0 * x, lambda x, dout: 2.0 * dout), X)


@EVERY
@pytest.mark.parametrize(
    ("f", "right", "wrong", "size"),
    [
        (lambda x: 2.0 * x, lambda x, dout: 2.0 * dout, lambda x, dout: 7.0 * dout, 1e300),
        (lambda x: x * x, lambda x, dout: 2.0 * dout * x, lambda x, dout: 3.0 * dout * x, 1e150),
    ],
)
def test_huge_numbers_hide_nothing_and_warn_of_nothing(f, right, wrong, size, method, mode):
    x = np.full((2, 3), size)
    assert verdict_of(f, right, x, method=method, mode=mode) == "ok"
    assert verdict_of(f, wrong, x, method=method, mode=mode) not in ("ok", "zero", "kink")


@EVERY
def test_where_no_limit_can_be_had_nothing_is_ok(method, mode):
    """An output that overflows when doubled."""
    x = np.full((2, 3), 1.5e308)
    report = check_gradients(Formula(lambda x: x, lambda x, dout: 3.0 * dout), x, method=method, mode=mode)
    assert not report.ok


@EVERY
@pytest.mark.parametrize("scale", [1e-25, 1e-20, 1e-8, 1e8, 1e25])
def test_a_gradient_is_compared_with_its_own_size(scale, method, mode):
    def found(factor):
        return verdict_of(
            lambda x: scale * x, lambda x, dout: factor * scale * dout, method=method, mode=mode
        )

    assert found(1.0) == "ok" and found(5.0) != "ok" and found(1.0 + 1e-6) != "ok"


@EVERY
@pytest.mark.parametrize("factor", [5.0, 1.01, 1.0 + 1e-6])
@pytest.mark.parametrize(
    ("f", "g"),
    [
        (lambda x: np.exp(-x), lambda x, dout: -dout * np.exp(-x)),
        (lambda x: 1.0 + 1e-25 * x, lambda x, dout: 1e-25 * dout),
        (logistic, lambda x, dout: dout * logistic(x) * logistic(-x)),
    ],
)
def test_an_error_of_a_tiny_gradient_is_found_beside_large_values(f, g, factor, method, mode):
    x = 50.0 + X
    assert verdict_of(f, g, x, method=method, mode=mode) == "ok"
    assert verdict_of(f, lambda x, dout: factor * g(x, dout), x, method=method, mode=mode) != "ok"


@EVERY
def test_what_is_left_of_a_subtraction_counts_by_what_it_was_subtracted_from(method, mode):
    """1 - y has few digits left, or none, and y (1 - y) is as right as they allow."""

    def g(x, dout):
        return dout * logistic(x) * (1.0 - logistic(x))

    for at, verdicts in ((20.0, ["ok"]), (35.0, ["zero", "ok"]), (50.0, ["zero"])):
        assert verdict_of(logistic, g, at + X, method=method, mode=mode) in verdicts
        assert verdict_of(logistic, lambda x, d: 1.01 * g(x, d), at + X, method=method, mode=mode) != "ok"


@EVERY
def test_differences_that_show_less_than_the_gradient_cannot_tell(method, mode):
    """This forward is not analytic; an analytic one is checked by the complex step even if not asked to."""

    class Bias(Formula):
        def __init__(self):
            super().__init__(None, None)
            self.params = {"b": np.ones(3)}

        def forward(self, x):
            self.x = x
            return abs(x) + 1e-20 * self.params["b"]

        def backward(self, dout):
            self.grads["b"] = 5e-20 * dout.sum(axis=0)
            return dout * np.sign(self.x)

    report = check_gradients(Bias(), X, method=method, mode=mode)
    assert {array.name: array.verdict for array in report.arrays} == {"b": "cannot tell", "x": "ok"}
    assert not report.ok
    words = " ".join(str(report).split())
    assert "b: cannot tell: the gradient is about" in words and "scale its output up" in words


# ----------------------------------------------------------------------------------------------------- zero


@EVERY
def test_a_bias_before_batch_normalization_is_zero(method, mode):
    layers = [Affine(4), BatchNorm(), ReLU(), Affine(2)]
    net = Network(layers, SoftmaxCrossEntropy(), 3, dtype="float64", rng=0)
    report = check_gradients(net, X, [0, 1, 0, 1, 1], method=method, mode=mode)
    report.assert_ok()
    verdicts = {array.name: array.verdict for array in report.arrays}
    assert verdicts.pop("b1") == "zero" and set(verdicts.values()) == {"ok"}
    assert [line.split()[-1] for line in str(report).splitlines() if line.startswith("b1")] == ["zero"]


@pytest.mark.parametrize("mode", MODES)
def test_so_it_is_where_the_variance_is_not_analytic(mode):
    class Normalized(Own):
        def __init__(self, rng):
            super().__init__(W=rng.normal(size=(3, 4)), b=rng.normal(size=4))

        def forward(self, x):
            self.x, z = x, x @ self.params["W"] + self.params["b"]
            self.std = z.std(axis=0)
            self.y = (z - z.mean(axis=0)) / self.std
            return self.y

        def backward(self, dout):
            dz = (dout - dout.mean(axis=0) - self.y * (dout * self.y).mean(axis=0)) / self.std
            self.grads = {"W": self.x.T @ dz, "b": dz.sum(axis=0)}
            return dz @ self.params["W"].T

    for seed in range(30):
        rng = np.random.default_rng(seed)
        report = check_gradients(Normalized(rng), rng.normal(size=(6, 3)), mode=mode, rng=seed)
        assert {array.name: array.verdict for array in report.arrays} == {"W": "ok", "b": "zero", "x": "ok"}


@pytest.mark.parametrize("mode", MODES)
def test_what_a_saturated_softmax_passes_back_is_rounding(mode):
    """p - 1 has cancelled, in one class to 0 and not in the other."""
    net = TwoLayerNet(3, 2, 2, dtype="float64", rng=0)
    net.params["W1"][...] = [[0.935, -1.903], [-0.872, -0.739], [-1.016, 1.404]]
    net.params["W2"][...] = [[1.199, 3.101], [-0.318, 0.111]]
    x = np.array([[-1000.0, -1000.0, 1000.0], [-1000.0, -1000.0, -1000.0]])
    for gap in (34.0, 36.0, 38.0):
        net.params["b2"][...] = 0.0
        logits = net.predict(x)[1]
        net.params["b2"][...] = [logits[1] - logits[0] + gap, 0.0]
        check_gradients(net, x, [0, 0], mode=mode).assert_ok()


@EVERY
def test_a_dead_unit_is_zero(method, mode):
    assert verdict_of(ReLU().forward, lambda x, dout: 0.0 * dout, X - 9.0, method=method, mode=mode) == "zero"
    assert verdict_of(lambda x: 0.0 * x, lambda x, dout: 0.0 * dout, method=method, mode=mode) == "zero"
    found = verdict_of(lambda x: 0.0 * x, lambda x, dout: 1e-30 * dout, method=method, mode=mode)
    assert found not in ("zero", "ok")


# ----------------------------------------------------------------------------------------------------- ties


TIED = {
    "all": lambda at, d: d[:, None] * at,
    "half": lambda at, d: d[:, None] * at / at.sum(axis=1, keepdims=True),
    "the first": lambda at, d: d[:, None] * (at.cumsum(axis=1) == 1) * at,
}


@EVERY
@pytest.mark.parametrize("share", TIED)
@pytest.mark.parametrize("x", [np.ones((2, 3)), np.array([[2.0, 1.0, 2.0], [-1.0, 3.0, 0.5]])])
def test_the_shares_of_tied_entries_sum_to_1(share, x, method, mode):
    layer = Formula(
        lambda x: x.max(axis=1), lambda x, dout: TIED[share](x == x.max(axis=1, keepdims=True), dout)
    )
    report = check_gradients(layer, x, method=method, mode=mode)
    assert report.ok == (share != "all")
    # At a tie of two, central differences give half the gradient.
    assert report.arrays[0].verdict in (["ties"] if share == "all" else ["kink", "ok"])
    if share == "all":
        count = int((x[0] == x[0].max()).sum())
        assert f"their shares of the gradient sum to {count}, not to 1" in " ".join(str(report).split())


@EVERY
def test_either_slope_is_right_at_the_kink_of_a_rectifier(method, mode):
    x = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
    for mask in (lambda x: x > 0, lambda x: x >= 0):
        layer = Formula(lambda x: x * (x.real > 0), lambda x, dout, mask=mask: dout * mask(x))
        check_gradients(layer, x, method=method, mode=mode).assert_ok()


@EVERY
def test_units_at_their_kinks_behind_one_layer_are_no_tie(method, mode):
    """relu(x W) at x = 0: neither slope along all of x is that of backward, which takes 0 for each unit."""
    W = np.random.default_rng(5).normal(size=(3, 4))

    def f(x):
        return x @ W * ((x @ W).real > 0)

    layer = Formula(f, lambda x, dout: (dout * (x @ W > 0)) @ W.T)
    check_gradients(layer, np.zeros((2, 3)), method=method, mode=mode).assert_ok()


# ------------------------------------------------------------------------------------------- what is loaded


def test_a_right_network_loads_nothing_that_explains():
    code = """
import sys, backprop
net = backprop.TwoLayerNet(4, 3, 2, rng=0)
assert backprop.check_gradients(net, [[1.0, 2.0, 3.0, 4.0]], [1]).ok
print(*(name.rpartition(".")[2] for name in sys.modules if name.startswith("backprop.gradient_check.")))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    explaining = {"explaining", "closer", "rounding", "single_precision", "kinks", "entries", "locating"}
    explaining |= {"diagnoses", "verdicts", "culprit"}
    loaded = set(run.stdout.split())
    assert {"fast", "check", "report"} <= loaded and not loaded & explaining


# --------------------------------------------------------------------- what the complex step does not see


class StableCrossEntropy:
    """A binary cross-entropy of logits in the form with abs that never overflows."""

    factor = 1.0

    def forward(self, x, t):
        self.x, self.t = x, t
        return (np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))).mean()

    def backward(self, dout):
        return self.factor * dout * (1.0 / (1.0 + np.exp(-self.x)) - self.t) / self.x.size


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("scale", [1.0, 10.0, 15.0, 20.0, 25.0])
def test_a_small_term_that_is_not_analytic_is_no_fault_of_backward(scale, mode):
    x, t = scale * np.array([[1.0], [-1.0], [1.1], [-1.2]]), np.array([[1.0], [0.0], [0.0], [1.0]])
    for seed in range(5):
        check_gradients(StableCrossEntropy(), x, t, mode=mode, rng=seed).assert_ok()
    wrong = StableCrossEntropy()
    wrong.factor = 1.0 + 1e-6
    assert not check_gradients(wrong, x, t, mode=mode)


def test_beside_a_kink_only_the_slope_there_is_right():
    class Rectifier:
        def forward(self, x):
            self.x = x
            return np.maximum(x, 0)

        def backward(self, dout):
            return dout * np.where(abs(self.x) < 1e-8, 0.5, self.x > 0)

    x = np.random.default_rng(0).normal(size=(3, 3))
    verdicts = []
    for x[0, 0] in (0.0, 1e-9):
        verdicts.append(check_gradients(Rectifier(), x).arrays[0].verdict)
    assert verdicts == ["kink", "wrong"]


def test_of_many_wrong_arrays_the_first_are_looked_at():
    class Halves:
        def __init__(self):
            self.scales = [np.full(3, 1.0 + 0.01 * i) for i in range(30)]

        def forward(self, x):
            self.x = x
            return x * sum(self.scales)

        def backward(self, dout):
            self.d_scales = [0.5 * (dout * self.x).sum(axis=0)] * 30
            return dout * sum(self.scales)

    verdicts = [array.verdict for array in check_gradients(Halves(), X).arrays]
    assert verdicts == 24 * ["constant factor"] + 6 * ["cannot tell"] + ["ok"]
