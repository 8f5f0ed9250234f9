"""Functions with caches, and functions that return (loss, gradients), are checked by every float array."""

import numpy as np
import pytest

from backprop.gradient_check import check_function

RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(5, 4)), RNG.normal(size=(4, 3)), np.zeros(3)
LABELS = np.array([0, 2, 1, 1, 0])


def rows_of(report):
    return [(array.name, array.verdict) for array in report.arrays]


def affine(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def wrong_backward(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return [dx, 2.0 * dw, db]


def short_backward(dout, cache):
    return affine_backward(dout, cache)[:2]


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize(
    ("backward", "verdicts"),
    [
        (affine_backward, ["ok", "ok", "ok"]),
        (wrong_backward, ["ok", "constant factor", "ok"]),
        (short_backward, ["ok", "ok", "missing gradient"]),
    ],
)
def test_a_function_with_a_cache(backward, verdicts, mode):
    report = check_function(affine, backward, X, W, B, mode=mode)
    assert rows_of(report) == list(zip("xwb", verdicts, strict=True))
    assert report.subject == "affine" and report.ok == (verdicts == ["ok"] * 3)


def softmax_loss(x, y, factor=1.0):
    e = np.exp(x - x.real.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    return -np.log(p[rows, y]).mean(), factor * (p - np.eye(x.shape[1])[y]) / len(y)


def test_a_loss_with_its_gradient():
    assert rows_of(check_function(softmax_loss, None, X, LABELS)) == [("x", "ok")]
    assert rows_of(check_function(softmax_loss, None, X, LABELS, 2.0, constants=["factor"])) == [
        ("x", "constant factor")
    ]


def test_a_loss_with_gradients_by_name_or_in_order():
    def energy(x, w, of):
        out = x @ w
        dx, dw = 2.0 * out @ w.T, 2.0 * x.T @ out
        return (out * out).sum(), of(dx, dw)

    def by_name(dx, dw):
        return {"w": dw, "x": dx}

    def in_order(dx, dw):
        return dx, dw

    for of in (by_name, in_order):
        assert rows_of(check_function(energy, None, X, W, of)) == [("x", "ok"), ("w", "ok")]
    assert not check_function(energy, None, X, W, lambda dx, dw: (dx, dx)).ok
    assert not check_function(energy, None, X, W, lambda dx, dw: {"x": dx}).ok


def test_options_are_passed_on_and_every_evaluation_gets_a_copy():
    def levelled(x, gamma, beta, options):
        assert options == {"mode": "train"}
        options["last_mean"] = x.mean(axis=0)
        above = x - options["last_mean"]
        return gamma * above + beta, (above, gamma)

    def backward(dout, cache):
        above, gamma = cache
        return gamma * (dout - dout.mean(axis=0)), (dout * above).sum(axis=0), dout.sum(axis=0)

    options = {"mode": "train"}
    report = check_function(levelled, backward, X, np.full(4, 1.5), np.zeros(4), options)
    assert rows_of(report) == [("x", "ok"), ("gamma", "ok"), ("beta", "ok")] and options == {"mode": "train"}


@pytest.mark.parametrize(
    "backward",
    [lambda dout, x: dout * (1.0 - np.tanh(x) ** 2), lambda x, dout: dout * (1.0 - np.tanh(x) ** 2)],
)
def test_a_function_without_a_cache(backward):
    check_function(np_tanh, backward, X).assert_ok()
    assert not check_function(np_tanh, lambda dout, x: 2.0 * backward(dout=dout, x=x), X).ok


def np_tanh(x):
    return np.tanh(x)


def test_an_embedding_by_integers():
    def lookup(ids, table):
        return table[ids], (ids, table)

    def backward(dout, cache):
        ids, table = cache
        gradient = np.zeros(table.shape)
        np.add.at(gradient, ids, dout)
        return gradient

    assert rows_of(check_function(lookup, backward, np.array([[0, 1], [3, 1]]), W)) == [("table", "ok")]
    assert not check_function(lookup, lambda d, c: 2.0 * backward(d, c), np.array([[0, 1], [3, 1]]), W).ok


def test_a_method_of_a_model_leaves_the_model_alone_and_its_arrays_are_seen():
    class Model:
        def __init__(self):
            self.w = W.copy()

        def loss(self, x):
            self.seen = x
            return (x @ self.w).sum(), np.ones((5, 3)) @ self.w.T

    model = Model()
    report = check_function(model.loss, None, X)
    assert [name.rpartition(".")[2] for name, _ in rows_of(report)] == ["x", "w"] and not report.ok
    assert rows_of(report)[1][1] == "not compared" and set(vars(model)) == {"w"}


@pytest.mark.parametrize(
    ("forward", "backward", "words"),
    [
        (lambda x: (x, x, x), affine_backward, r"must return \(out, cache\), got 3 values"),
        (lambda x: x, None, r"must return \(loss, gradients\), got numpy.ndarray"),
        (lambda x, y: (x, y), affine_backward, r"missing 1 required positional argument: 'y'\n.*failed"),
    ],
)
def test_what_a_function_returns_otherwise_is_refused(forward, backward, words):
    with pytest.raises(TypeError, match=words):
        check_function(forward, backward, X)


@pytest.mark.parametrize("alpha", [0.5, 2, np.arange(3)])
def test_a_gradient_of_what_is_no_array_of_floats_is_refused(alpha):
    def scale(x, alpha):
        return x @ W * alpha, (x, alpha)

    def back(dout, cache):
        x, alpha = cache
        return dout * alpha @ W.T, (dout * (x @ W)).sum(axis=0 if np.shape(alpha) else None)

    with pytest.raises(
        TypeError, match="there is a gradient for alpha, which is .*; pass an array of floats"
    ):
        check_function(scale, back, X, alpha)
    assert rows_of(check_function(scale, back, X, np.array(alpha, float))) == [("x", "ok"), ("alpha", "ok")]


def test_a_gradient_for_every_input_may_be_none():
    def loss(x, labels, w):
        out = x @ w
        picked = out[np.arange(5), labels]
        dout = np.zeros((5, 3))
        dout[np.arange(5), labels] = 1.0
        return picked.sum(), (dout @ w.T, None, x.T @ dout)

    assert rows_of(check_function(loss, None, X, LABELS, W)) == [("x", "ok"), ("w", "ok")]


@pytest.mark.parametrize("pair", [(None, None), ("f", "g"), (np.tanh, 3)])
def test_what_is_no_function_is_refused(pair):
    with pytest.raises(
        TypeError, match="^check_function: forward must be a function, and backward a function or None, got"
    ):
        check_function(*pair, np.ones(3))
