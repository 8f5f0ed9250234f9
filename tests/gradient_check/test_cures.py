"""A refusal is one line with the code to write instead, and that code works."""

import functools
import re

import numpy as np
import pytest

from backprop import check_gradients
from backprop.gradient_check import Adapter, check_function

X = np.random.default_rng(0).normal(size=(5, 4))


def shown(error):
    """Return the call in a message, up to its closing bracket."""
    message = str(error.value)
    assert "\n" not in message and message.startswith("check_gradients: ")
    start = re.search(r"(Adapter|check_function|check_gradients)\(", message).start()
    depth = 0
    for end in range(start, len(message)):
        depth += {"(": 1, ")": -1}.get(message[end], 0)
        if message[end] == ")" and not depth:
            return message[start : end + 1]
    raise AssertionError(message)


def typed(layer, *inputs):
    """Return the adapter that a refusal shows, evaluated."""
    with pytest.raises(TypeError) as refused:
        check_gradients(layer, *inputs)
    return eval(shown(refused), {"Adapter": Adapter, "layer": layer})


class Times:
    """x w, with a factor in the gradient of w."""

    def __init__(self, factor=1.0):
        self.w, self.factor = np.arange(1.0, 5.0), factor

    def out(self, x):
        self.x = x
        return x * self.w

    def back(self, dout):
        self.dw = self.factor * (dout * self.x).sum(axis=0)
        return dout * self.w


class Decaying(Times):
    def forward(self, x):
        return self.out(x)

    def backward(self, dout, learning_rate, lambda_):
        dx = self.back(dout)
        self.w = self.w - learning_rate * (self.dw + 2.0 * lambda_ * self.w)
        del self.dw
        return dx


class Scheduled(Times):
    def forward(self, x):
        return self.out(x)

    def backward(self, dout, *, schedule):
        return self.back(dout)


class Swapped(Times):
    def forwards(self, x):
        return self.out(x)

    def all_the_way_back(self, upstream):
        return self.back(upstream)


@pytest.mark.parametrize("kind", [Decaying, Scheduled, Swapped])
def test_the_adapter_of_a_refusal_works(kind):
    assert check_gradients(typed(kind(), X), X).ok
    assert [a.ok for a in check_gradients(typed(kind(2.0), X), X).arrays] == [False, True]


def test_the_call_of_a_refused_function_works():
    def scaled(x):
        return 3.0 * x

    def scaled_back(dout, momentum):
        return 3.0 * dout + momentum

    with pytest.raises(
        TypeError, match="scaled_back takes momentum, which the check cannot fill in"
    ) as refused:
        check_function(scaled, scaled_back, X)
    call = shown(refused).replace("...", "X")
    assert eval(call, {"check_function": check_function, **locals(), "X": X}).ok


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (np.ones(3), "ndarray has no forward and no backward"),
        (3, "int has no forward and no backward"),
        (None, "NoneType has no forward and no backward"),
        ({}, "dict has no forward and no backward"),
        (np.tanh, "tanh is a function: use check_function"),
        (len, "len is a function: use check_function"),
    ],
)
def test_what_is_no_layer_is_told_the_rule_alone(obj, words):
    with pytest.raises(TypeError, match=words):
        check_gradients(obj, X)


def test_a_property_that_raises_is_not_run_for_a_message():
    class Unbuilt:
        @property
        def summary(self):
            raise RuntimeError("build it first")

    with pytest.raises(TypeError, match="Unbuilt has no forward and no backward under a known name"):
        check_gradients(Unbuilt(), X)


# ------------------------------------------------------------------------- what is returned, and how many


class Affine:
    """x W + b, half the square of which is the loss, with a factor in the gradient of b."""

    def __init__(self, factor=1.0):
        self.W, self.b, self.factor = np.random.default_rng(1).normal(size=(4, 3)), np.ones(3), factor

    def affine(self, x):
        self.x = x
        return x @ self.W + self.b

    def gradients(self, dout):
        return [dout @ self.W.T, self.x.T @ dout, self.factor * dout.sum(axis=0)]


class AllInOne(Affine):
    def forward(self, x):
        return self.affine(x)

    def backward(self, dout):
        return self.gradients(dout)


class ThroughTime(Affine):
    def calculate_loss(self, x, y):
        return 0.5 * ((self.affine(x) - y) ** 2).sum()

    def bptt(self, x, y):
        return self.gradients(self.affine(x) - y)[1:]


def test_gradients_of_parameters_that_backward_returns_are_kept_by_an_adapter():
    assert check_gradients(typed(AllInOne(), X), X).ok
    verdicts = {a.name: a.ok for a in check_gradients(typed(AllInOne(2.0), X), X).arrays}
    assert verdicts == {"W": True, "b": False, "x": True}


def test_gradients_of_a_loss_without_names_are_kept_by_an_adapter():
    y = np.zeros((5, 3))
    with pytest.raises(TypeError, match=r"there is nothing to compare: .*constants=\['x'\]"):
        check_gradients(ThroughTime(), X, y)
    assert check_gradients(typed(ThroughTime(), X, y), X, y, constants=["x"]).ok
    report = check_gradients(typed(ThroughTime(2.0), X, y), X, y, constants=["x"])
    assert {a.name: a.ok for a in report.arrays} == {"W": True, "b": False}


class Returning:
    """A loss whose forward returns more than a number, or stores it."""

    def __init__(self, of, factor=1.0):
        self.of, self.factor = of, factor

    def forward(self, x, t):
        self.d = self.factor * (x - t)
        return self.of(self, 0.5 * ((x - t) ** 2).sum())

    def backward(self):
        return self.d


def left(layer, out):
    layer.result = np.array([1.0]) * out


RETURNED = [
    lambda layer, out: (out, {"accuracy": 0.5}),
    lambda layer, out: [None, out],
    lambda layer, out: {"name": "half", "loss": out},
    left,
]


@pytest.mark.parametrize("of", RETURNED)
def test_the_adapter_takes_an_array_out_of_what_forward_gives(of):
    t = np.ones((5, 4))
    assert check_gradients(typed(Returning(of), X, t), X, t).ok
    assert not check_gradients(typed(Returning(of, 2.0), X, t), X, t).ok


# --------------------------------------------------------------------------------------------- networks


class Course:
    """A model whose loss also returns the gradients, or scores if there are no labels."""

    def __init__(self, factor=1.0, of=dict):
        self.params, self.factor = {"W": np.ones((4, 3)), "b": np.zeros(3)}, factor

    def loss(self, X, y=None):
        scores = X @ self.params["W"] + self.params["b"]
        if y is None:
            return scores
        d = scores - y
        return 0.5 * (d**2).sum(), {"W": X.T @ d, "b": self.factor * d.sum(axis=0)}


class InLists:
    def __init__(self, factor=1.0, made=list):
        self.params, self.factor, self.made = [np.ones((4, 3)), np.zeros(3)], factor, made

    def loss(self, x, y):
        return 0.5 * ((x @ self.params[0] + self.params[1] - y) ** 2).sum()

    def gradient(self, x, y):
        d = x @ self.params[0] + self.params[1] - y
        return self.made([x.T @ d, self.factor * d.sum(axis=0)])


@pytest.mark.parametrize("made", [Course, InLists, lambda factor: InLists(factor, tuple)])
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_network_s_loss_may_return_its_gradients_which_may_come_in_order(made, factor):
    report = check_gradients(made(factor), X, np.ones((5, 3)))
    assert [array.ok for array in report.arrays] == [True, factor == 1.0]


def test_a_loss_that_does_not_return_its_gradients_is_told_to():
    with pytest.raises(TypeError, match=r"Course has no gradient, so loss must return \(loss, gradients\)"):
        check_gradients(Course(), X)


# --------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "error", [TypeError, ValueError, IndexError, KeyError, AttributeError, ZeroDivisionError]
)
@pytest.mark.parametrize("where", ["forward", "backward"])
def test_an_error_of_any_type_says_what_was_called_and_what_to_do(error, where):
    class Failing(Times):
        def forward(self, x):
            if where == "forward":
                raise error("what it says")
            return self.out(x)

        def backward(self, dout):
            raise error("what it says")

    with pytest.raises(error) as failed:
        check_gradients(Failing(), X)
    (note,) = failed.value.__notes__
    assert failed.value.args == ("what it says",)
    given = "numpy.ndarray of shape (5, 4)" if where == "forward" else "dout"
    assert note.startswith(f"check_gradients: Failing.{where}({given}) failed on a copy in float64; pass all")


@pytest.mark.parametrize("given", [{"params": "nope"}, {"params": ["W", "nope"]}, {"grads": "nope"}])
def test_a_name_that_a_layer_has_not_is_told_with_those_that_it_has(given):
    layer = Adapter(AllInOne(), backward=lambda layer, dout: layer.backward(dout)[0], **given)
    with pytest.raises(
        AttributeError, match=r"AllInOne has no attribute nope, named in params or grads \(it has W"
    ):
        check_gradients(layer, X)


@pytest.mark.parametrize("given", [{"params": lambda layer: 3}, {"grads": lambda layer: 3}])
def test_what_is_no_array_is_refused_as_params_or_grads(given):
    layer = Adapter(AllInOne(), backward=lambda layer, dout: layer.backward(dout)[0], **given)
    with pytest.raises(TypeError, match="params and grads must name or return arrays, got int"):
        check_gradients(layer, X)


def test_a_decorated_method_takes_what_it_wraps():
    def passing_on(method):
        @functools.wraps(method)
        def run(*args, **kwargs):
            return method(*args, **kwargs)

        return run

    class Decorated(Times):
        @passing_on
        def forward(self, x, training):
            return self.out(x) if training else None

        @passing_on
        def backward(self, dout, learning_rate):
            dx = self.back(dout)
            self.w = self.w - learning_rate * self.dw
            del self.dw
            return dx

    assert check_gradients(Decorated(), X).ok
    assert [array.ok for array in check_gradients(Decorated(2.0), X).arrays] == [False, True]
