"""Parameters other than float arrays: integers, numbers and lists of them that have a gradient."""

import math

import numpy as np
import pytest

from backprop import check_gradients

X = np.random.default_rng(0).normal(size=(5, 4))


def rows_of(report):
    return [(array.name, array.verdict) for array in report.arrays]


class Dense:
    """x W as at the beginning of a tutorial."""

    def __init__(self, factor=1.0, W=None):
        self.factor, self.W = factor, np.array([[1, 2], [3, 4], [5, 6], [7, 8]]) if W is None else W

    def forward(self, x):
        self.x = x
        return x @ np.array(self.W)

    def backward(self, dout):
        self.dW = self.factor * self.x.T @ dout
        return dout @ np.array(self.W).T


class Leaky:
    """A slope that is a number, with its gradient beside it."""

    def __init__(self, factor=1.0, alpha=0.25):
        self.factor, self.alpha, self.dalpha = factor, alpha, 0.0

    def forward(self, x):
        self.x = x
        return np.where(x.real > 0, x, self.alpha * x)

    def backward(self, dout):
        self.dalpha = self.factor * float((dout * np.minimum(self.x, 0.0)).sum())
        return dout * np.where(self.x > 0, 1.0, self.alpha)


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("alpha", [0.25, np.float64(0.25), np.float32(0.25), 3])
def test_a_number_with_a_gradient_is_compared(alpha, mode):
    layer = Leaky(alpha=alpha)
    assert rows_of(check_gradients(layer, X, mode=mode)) == [("alpha", "ok"), ("x", "ok")]
    assert layer.alpha is alpha and layer.dalpha == 0.0
    wrong = check_gradients(Leaky(2.0, alpha), X, mode=mode)
    assert rows_of(wrong) == [("alpha", "constant factor"), ("x", "ok")]


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("W", [None, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]])
def test_integers_and_lists_with_a_gradient_are_compared(W, mode):
    assert rows_of(check_gradients(Dense(1.0, W), X, mode=mode)) == [("W", "ok"), ("x", "ok")]
    assert rows_of(check_gradients(Dense(2.0, W), X, mode=mode)) == [("W", "constant factor"), ("x", "ok")]


def test_a_gradient_may_be_a_list_of_numbers():
    class Scale:
        def __init__(self, factor):
            self.w, self.dw, self.factor = [1.0, 2.0, 3.0, 4.0], [0.0] * 4, factor

        def forward(self, x):
            self.x = x
            return x * self.w

        def backward(self, dout):
            self.dw = [self.factor * float(each) for each in (dout * self.x).sum(axis=0)]
            return dout * self.w

    assert rows_of(check_gradients(Scale(1.0), X)) == [("w", "ok"), ("x", "ok")]
    assert not check_gradients(Scale(2.0), X).ok


def test_numbers_without_a_gradient_are_not_asked_for():
    class Times(Dense):
        eps, rate, momentum = 1e-5, 0.1, 0.9

        def __init__(self):
            super().__init__()
            self.scale, self.sizes = 3.0, [2, 2]

        def forward(self, x):
            return self.scale * super().forward(x)

        def backward(self, dout):
            return super().backward(self.scale * dout)

    assert rows_of(check_gradients(Times(), X)) == [("W", "ok"), ("x", "ok")]


def test_integers_without_a_gradient_are_not_compared_unless_they_are_indices():
    class Filtered:
        def __init__(self):
            self.filter, self.order = np.array([1, -1, 2, 0]), np.array([3, 1, 0, 2])

        def forward(self, x):
            return (x * self.filter)[:, self.order]

        def backward(self, dout):
            return dout[:, np.argsort(self.order)] * self.filter

    assert rows_of(check_gradients(Filtered(), X)) == [("x", "ok"), ("filter", "not compared")]
    check_gradients(Filtered(), X, constants=["filter"]).assert_ok()


def test_a_number_that_cannot_be_an_array_is_not_compared():
    class Strict(Leaky):
        def forward(self, x):
            if not isinstance(self.alpha, float):
                raise TypeError("alpha must be a float")
            return super().forward(x)

    report = check_gradients(Strict(2.0), X)
    assert not report.ok and rows_of(report) == [("x", "ok"), ("alpha", "not compared")]
    check_gradients(Strict(2.0), X, constants=["alpha"]).assert_ok()


def test_a_step_of_the_name_of_a_gradient_is_none():
    """A layer with a time t, which forward ignores, and its step dt."""

    class Clock(Dense):
        def __init__(self):
            super().__init__()
            self.t, self.dt = 0.5, 0.1

        def forward(self, x):
            return math.exp(self.dt) * super().forward(x)

        def backward(self, dout):
            return super().backward(math.exp(self.dt) * dout)

    assert rows_of(check_gradients(Clock(), X)) == [("W", "ok"), ("x", "ok")]


def test_arrays_in_arrays_of_objects_are_compared():
    class Stack:
        def __init__(self, factor=1.0):
            self.W, self.dW = np.empty((1, 2), dtype=object), np.empty((1, 2), dtype=object)
            self.factor = factor
            for i in range(2):
                self.W[0, i] = np.random.default_rng(i).normal(size=(4, 4))

        def forward(self, x):
            self.x, self.h = x, x @ self.W[0, 0]
            return self.h @ self.W[0, 1]

        def backward(self, dout):
            self.dW[0, 1] = self.factor * self.h.T @ dout
            dout = dout @ self.W[0, 1].T
            self.dW[0, 0] = self.x.T @ dout
            return dout @ self.W[0, 0].T

    assert rows_of(check_gradients(Stack(), X)) == [("W[0][0]", "ok"), ("W[0][1]", "ok"), ("x", "ok")]
    assert [array.ok for array in check_gradients(Stack(2.0), X).arrays] == [True, False, True]


class Kept(Dense):
    """x W with W in an array of another type."""

    def __init__(self, factor=1.0, made=np.asarray):
        super().__init__(factor, made(np.random.default_rng(2).normal(size=(4, 3))))

    def forward(self, x):
        self.x = x
        return np.asarray((x @ self.W).real)

    def backward(self, dout):
        self.dW = self.factor * self.x.T @ dout
        return np.asarray((dout @ self.W.T).real)


class Tagged(np.ndarray):
    pass


def test_an_array_of_a_subclass_is_compared_where_a_plain_one_does():
    assert rows_of(check_gradients(Kept(1.0, lambda W: W.view(Tagged)), X)) == [("W", "ok"), ("x", "ok")]
    assert not check_gradients(Kept(2.0, lambda W: W.view(Tagged)), X).ok


def test_what_cannot_be_compared_as_it_is_does_not_pass_unseen():
    class Filled(Kept):
        def forward(self, x):
            self.x = x
            return x @ self.W.filled(0.0)

        def backward(self, dout):
            return dout @ self.W.filled(0.0).T

    for layer in (Filled(1.0, np.ma.masked_array), Kept(1.0, lambda W: W + 1j * W)):
        report = check_gradients(layer, X)
        assert rows_of(report) == [("x", "ok"), ("W", "not compared")] and not report.ok
        check_gradients(layer, X, constants=["W"]).assert_ok()


def test_a_field_of_records_does_not_pass_unseen():
    class Records:
        def __init__(self):
            self.table = np.ones(4, dtype=[("scale", float), ("age", float)])

        def forward(self, x):
            return x * self.table["scale"]

        def backward(self, dout):
            return dout * self.table["scale"]

    assert rows_of(check_gradients(Records(), X)) == [("x", "ok"), ("table['scale']", "not compared")]


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_numbers_of_a_network_that_its_gradients_are_named_after(factor):
    class Net:
        def __init__(self):
            self.W, self.b = np.array([[1, 2], [3, 4], [5, 6], [7, 8]]), 0.5

        def loss(self, x, t):
            return 0.5 * ((x @ self.W + self.b) ** 2).sum()

        def gradient(self, x, t):
            out = x @ self.W + self.b
            return {"W": x.T @ out, "b": factor * float(out.sum())}

    net = Net()
    assert [(a.name, a.ok) for a in check_gradients(net, X, None).arrays] == [("W", True), ("b", factor == 1)]
    assert net.b == 0.5 and net.W.dtype.kind == "i"


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_number_of_the_class_is_compared(factor):
    class Shared(Leaky):
        alpha = 0.25

        def __init__(self):
            self.factor = factor

    report = check_gradients(Shared(), X)
    assert [(a.name, a.ok) for a in report.arrays] == [("alpha", factor == 1.0), ("x", True)]
    assert Shared.alpha == 0.25


def test_a_number_of_a_frozen_object_is_compared():
    class Frozen:
        def __init__(self, factor):
            vars(self).update(alpha=0.25, factor=factor, grads={})

        def __setattr__(self, name, value):
            raise AttributeError("frozen")

        def forward(self, x):
            vars(self)["x"] = x
            return self.alpha * x

        def backward(self, dout):
            self.grads["alpha"] = self.factor * float((dout * self.x).sum())
            return self.alpha * dout

    assert rows_of(check_gradients(Frozen(1.0), X)) == [("alpha", "ok"), ("x", "ok")]
    assert not check_gradients(Frozen(2.0), X).ok


def test_lists_that_are_no_arrays_do_no_harm():
    class Settings(Dense):
        def __init__(self):
            super().__init__()
            self.ragged, self.dragged = [[1, 2], [3]], [[1, 2], [3]]
            self.itself = [1.0]
            self.itself.append(self.itself)

    assert rows_of(check_gradients(Settings(), X)) == [("W", "ok"), ("x", "ok")]
