"""Layers under the usual names are checked completely; a wrong gradient under any of them is found.

Each style is a layer of one kind, out = x W + b, with a factor in its gradients: 1 is right, 2 is wrong.
"""

from functools import wraps

import numpy as np
import pytest

from backprop import TwoLayerNet, check_gradients

X = np.random.default_rng(0).normal(size=(5, 4))
T = np.random.default_rng(1).normal(size=(5, 3))


def new(rows=4, columns=3):
    return np.random.default_rng(2).normal(size=(rows, columns))


def rows_of(report):
    return [(array.name, array.verdict) for array in report.arrays]


# ------------------------------------------------------------------------------------ where the gradients are


class Dense:
    """x W + b under given names of the passes, and with parameters and gradients in given places."""

    def __init__(self, factor=1.0, W="W", b="b", dW="dW", db="db", forward="forward", backward="backward"):
        self.factor, self.own = factor, (W, b, dW, db)
        setattr(self, W, new())
        setattr(self, b, np.ones(3))
        self.names = forward, backward

    def __getattr__(self, name):
        if not name.startswith("__") and name in self.__dict__.get("names", ()):
            return self.run if name == self.names[0] else self.run_back
        raise AttributeError(name)

    def run(self, x):
        self.x = x
        return x @ getattr(self, self.own[0]) + getattr(self, self.own[1])

    def run_back(self, dout):
        setattr(self, self.own[2], self.factor * self.x.T @ dout)
        setattr(self, self.own[3], self.factor * dout.sum(axis=0))
        return dout @ getattr(self, self.own[0]).T


@pytest.mark.parametrize(
    "names",
    [
        ("W", "b", "dW", "db"),
        ("W", "b", "d_W", "d_b"),
        ("w", "b", "dw", "db"),
        ("_W", "_b", "_dW", "_db"),
        ("weights", "bias", "grad_weights", "grad_bias"),
        ("weights", "biases", "dweights", "dbiases"),
        ("weights", "bias", "weights_grad", "bias_grad"),
        ("W", "b", "W_gradient", "b_gradient"),
        ("W", "b", "gradient_W", "gradient_b"),
        ("W", "b", "dLdW", "dLdb"),
        ("W", "b", "dL_dW", "dL_db"),
        ("BW", "Bb", "dLdBW", "dLdBb"),
        ("gamma", "beta", "dgamma", "dbeta"),
        ("weight", "bias", "dW", "db"),
    ],
)
def test_gradients_beside_their_parameters(names):
    report = check_gradients(Dense(1.0, *names), X)
    assert rows_of(report) == [(names[0], "ok"), (names[1], "ok"), ("x", "ok")] and report.ok
    wrong = check_gradients(Dense(2.0, *names), X)
    assert [array.ok for array in wrong.arrays] == [False, False, True]


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        ("forward_pass", "backward_pass"),
        ("fprop", "bprop"),
        ("forward_propagate", "back_propagate"),
        ("forward_propagation", "back_propagation"),
        ("feedforward", "backprop"),
        ("forward", "backpropagate"),
        ("forward", "_compute_gradients"),
        ("__call__", "backward"),
    ],
)
def test_passes_under_other_names(forward, backward):
    kind = type("Named", (Dense,), {forward: Dense.run, backward: Dense.run_back})
    only = {"forward": "", "backward": ""}  # and no others
    check_gradients(kind(1.0, **only), X).assert_ok()
    assert [array.ok for array in check_gradients(kind(2.0, **only), X).arrays] == [False, False, True]


class Held:
    """x W + b with its arrays and gradients in two given containers."""

    def __init__(self, factor, made, params, grads, keys):
        self.factor, self.own, self.keys = factor, (params, grads), keys
        setattr(self, params, made(new(), np.ones(3)))
        setattr(self, grads, made(np.zeros((4, 3)), np.zeros(3)))

    def forward(self, x):
        W, b = (getattr(self, self.own[0])[key] for key in self.keys)
        self.x = x
        return x @ W + b

    def backward(self, dout):
        grads = getattr(self, self.own[1])
        grads[self.keys[0]][...] = self.factor * self.x.T @ dout
        grads[self.keys[1]] = self.factor * dout.sum(axis=0)
        return dout @ getattr(self, self.own[0])[self.keys[0]].T


def as_list(W, b):
    return [W, b]


def by_name(W, b):
    return {"W": W, "b": b}


@pytest.mark.parametrize(
    ("made", "params", "grads", "keys", "names"),
    [
        (by_name, "params", "grads", "Wb", ["W", "b"]),
        (by_name, "parameters", "gradients", "Wb", ["W", "b"]),
        (as_list, "params", "grads", (0, 1), ["params[0]", "params[1]"]),
        (as_list, "parameters", "gradients", (0, 1), ["parameters[0]", "parameters[1]"]),
        (as_list, "weights", "dweights", (0, 1), ["weights[0]", "weights[1]"]),
    ],
)
def test_gradients_in_a_container_beside_that_of_the_parameters(made, params, grads, keys, names):
    right = check_gradients(Held(1.0, made, params, grads, keys), X)
    assert rows_of(right) == [(names[0], "ok"), (names[1], "ok"), ("x", "ok")] and right.ok
    wrong = check_gradients(Held(2.0, made, params, grads, keys), X)
    assert [array.ok for array in wrong.arrays] == [False, False, True]


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_parameters_and_gradients_that_are_properties(factor):
    class Hidden(Dense):
        params = property(lambda self: {"weight": self.W, "offset": self.b})
        grads = property(lambda self: {"weight": self.secret, "offset": self.db})

        def run_back(self, dout):
            dx = super().run_back(dout)
            self.secret, self.dW = self.dW, None
            return dx

    report = check_gradients(Hidden(factor), X)
    right = factor == 1.0
    assert [(a.name, a.ok) for a in report.arrays] == [("weight", right), ("offset", right), ("x", True)]


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_parameters_that_are_a_single_array(factor):
    class Whole:
        def __init__(self):
            self.params, self.grads = new(), np.zeros((4, 3))

        def forward(self, x):
            self.x = x
            return x @ self.params

        def backward(self, dout):
            self.grads[...] = factor * self.x.T @ dout
            return dout @ self.params.T

    report = check_gradients(Whole(), X)
    assert [(a.name, a.ok) for a in report.arrays] == [("params", factor == 1.0), ("x", True)]


class ByKey(Dense):
    """Attributes W and b, with gradients["dW"]."""

    key = "d{}"

    def run_back(self, dout):
        dx = super().run_back(dout)
        self.gradients = {self.key.format("W"): self.dW, self.key.format("b"): self.db}
        del self.dW, self.db
        return dx


@pytest.mark.parametrize("key", ["{}", "d{}", "d_{}", "grad_{}", "dLd{}"])
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_attributes_with_gradients_by_key(key, factor):
    layer = ByKey(factor)
    layer.key = key
    report = check_gradients(layer, X)
    assert [(a.name, a.ok) for a in report.arrays] == [("W", factor == 1), ("b", factor == 1), ("x", True)]


class Tensor:
    def __init__(self, data):
        self.data, self.grad = data, None


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_arrays_that_hold_their_gradient(factor):
    class Layer:
        def __init__(self):
            self.W, self.b = Tensor(new()), Tensor(np.ones(3))
            self.params = [self.W, self.b]

        def forward(self, x):
            self.x = x
            return x @ self.W.data + self.b.data

        def backward(self, dout):
            self.W.grad, self.b.grad = factor * self.x.T @ dout, dout.sum(axis=0)
            return dout @ self.W.data.T

    report = check_gradients(Layer(), X)
    assert [(a.name, a.ok) for a in report.arrays] == [("W", factor == 1), ("b", True), ("x", True)]


def test_a_bias_beside_params_is_compared_too():
    class Half(Dense):
        def __init__(self):
            super().__init__()
            self.params, self.grads = {"W": self.W}, {}

        def run_back(self, dout):
            dx = super().run_back(dout)
            self.grads["W"], self.db = self.dW, 7.0 * self.db
            return dx

    assert [(a.name, a.ok) for a in check_gradients(Half(), X).arrays] == [
        ("W", True),
        ("b", False),
        ("x", True),
    ]


class Chain:
    """A network of layers in a list or by name, without params."""

    def __init__(self, *layers, named=False):
        self.layers = {f"L{i}": layer for i, layer in enumerate(layers)} if named else [*layers]
        self.in_order = [*layers]

    def forward(self, x):
        for layer in self.in_order:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.in_order):
            dout = layer.backward(dout)
        return dout


class Second(Dense):
    def __init__(self, factor=1.0):
        super().__init__(factor)
        self.W = new(3, 3)


@pytest.mark.parametrize("named", [False, True])
def test_layers_in_a_container(named):
    report = check_gradients(Chain(Dense(), Second(), named=named), X)
    first, second = ("layers['L0']", "layers['L1']") if named else ("layers[0]", "layers[1]")
    names = [f"{first}.W", f"{first}.b", f"{second}.W", f"{second}.b", "x"]
    assert rows_of(report) == [(name, "ok") for name in names] and report.ok
    wrong = check_gradients(Chain(Dense(2.0), Second(), named=named), X)
    assert [array.ok for array in wrong.arrays] == [False, False, True, True, True]


def test_two_gradients_that_differ_are_not_guessed_between():
    class Both(Dense):
        def run_back(self, dout):
            dx = super().run_back(dout)
            self.grads = {"W": 2.0 * self.dW}
            return dx

    report = check_gradients(Both(), X)
    assert not report.ok and rows_of(report)[0] == ("W", "not compared")
    assert "dW and grads['W'] differ" in report.arrays[0].why


# ------------------------------------------------------------------------------------------- what passes take


class Times:
    """x w with the passes of a style."""

    def __init__(self, factor=1.0):
        self.w, self.factor = np.arange(1.0, 5.0), factor

    def out(self, x):
        self.x = x
        return x * self.w

    def back(self, dout):
        self.dw = (dout * self.x).sum(axis=0)
        return self.factor * dout * self.w


def style(**methods):
    return type("Style", (Times,), methods)


def output_kept(self, x):
    self.output = self.out(x)


def gradient_kept(self, dvalues):
    self.dinputs = self.back(dvalues)


def raising_unless(training, value):
    if training is not True:
        raise AssertionError(f"got {training!r}")
    return value


@pytest.mark.parametrize(
    "kind",
    [
        style(forward=lambda self, x, training: raising_unless(training, self.out(x)), backward=Times.back),
        style(
            forward=lambda self, x, is_train=False: raising_unless(is_train, self.out(x)), backward=Times.back
        ),
        style(
            forward=lambda self, x, *, train_flg=0: raising_unless(train_flg, self.out(x)),
            backward=Times.back,
        ),
        style(forward=output_kept, backward=gradient_kept),
        style(forward=Times.out, backward=lambda self, x, dout: self.back(dout) + 0.0 * x),
        style(forward=Times.out, backward=lambda self, inputs, grad: self.back(grad) + 0.0 * inputs),
        style(forward=Times.out, backward=lambda self, dout, y: self.back(dout) + 0.0 * y),
        style(forward=Times.out, backward=lambda self, dLdy, retain_grads=True: [self.back(dLdy)]),
        style(forward=Times.out, backward=lambda self, x: self.back(x)),
        style(forward=Times.out, backward=lambda self: self.back(np.ones(self.x.shape))),
    ],
)
def test_what_a_pass_takes_and_what_it_keeps(kind):
    assert rows_of(check_gradients(kind(), X)) == [("w", "ok"), ("x", "ok")]
    assert [array.ok for array in check_gradients(kind(2.0), X).arrays] == [True, False]


def test_a_flag_that_the_caller_gives_is_his():
    class Evaluating(Times):
        def forward(self, x, training=True):
            assert training is False
            return self.out(x)

        backward = Times.back

    check_gradients(Evaluating(), X, False).assert_ok()


def activation(forward, derivative, factor):
    def out(self, x):
        return np.tanh(x)

    def slope(self, x):
        return factor * (1.0 - np.tanh(x) ** 2)

    return type("Tanh", (), {forward: out, derivative: slope})()


@pytest.mark.parametrize(
    ("forward", "derivative"),
    [
        ("fn", "grad"),
        ("__call__", "gradient"),
        ("func", "derivative_func"),
        ("forward", "derivative"),
        ("f", "prime"),
    ],
)
def test_functions_with_a_derivative(forward, derivative):
    check_gradients(activation(forward, derivative, 1.0), X).assert_ok()
    assert rows_of(check_gradients(activation(forward, derivative, 2.0), X)) == [("x", "constant factor")]


def loss_of(names, forward, backward, factor, summed):
    """Half the squared error as a loss under these names."""
    first, second = names
    scope = {"factor": factor}
    of = f"0.5 * ({first} - {second}) ** 2"
    sign = 1.0 if first != "y" else -1.0
    exec(
        f"def out(self, {first}, {second}): return ({of}).sum() if {summed} else {of}\n"
        f"def back(self, {first}, {second}): return factor * {sign} * ({first} - {second})",
        scope,
    )
    return type("Half", (), {forward: scope["out"], backward: scope["back"]})()


@pytest.mark.parametrize("summed", [True, False])
@pytest.mark.parametrize(
    ("names", "forward", "backward", "name"),
    [
        (("predicted", "actual"), "loss", "grad", "x"),
        (("pred", "t"), "forward", "backward", "x"),
        (("y", "y_pred"), "loss", "gradient", "y_pred"),
        (("y_pred", "y_true"), "loss", "gradient", "x"),
    ],
)
def test_losses_with_a_derivative(names, forward, backward, name, summed):
    right, wrong = (loss_of(names, forward, backward, factor, summed) for factor in (1.0, 2.0))
    assert rows_of(check_gradients(right, X, X[::-1].copy())) == [(name, "ok")]
    assert not check_gradients(wrong, X, X[::-1].copy()).ok


@pytest.mark.parametrize("first", ["y_pred", "dvalues"])
def test_a_backward_of_predictions_and_targets(first):
    scope = {"np": np}
    exec(f"def backward(self, {first}, y_true): self.dinputs = ({first} - y_true)", scope)

    class Half:
        def forward(self, y_pred, y_true):
            return 0.5 * ((y_pred - y_true) ** 2).sum()

        backward = scope["backward"]

    check_gradients(Half(), X, X[::-1].copy()).assert_ok()


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_an_alpha_with_a_default_is_no_learning_rate(factor):
    class Leaky:
        def forward(self, x, alpha=0.1):
            self.x = x
            return np.where(x.real > 0, x, alpha * x)

        def backward(self, dout, alpha=0.1):
            return factor * dout * np.where(self.x > 0, 1.0, alpha)

    assert check_gradients(Leaky(), X).ok == (factor == 1.0)


# ------------------------------------------------------------------------------------------ layers that learn


class Learning(Times):
    """A layer that updates itself at a learning rate passed to backward."""

    def forward(self, x):
        return self.out(x)

    def backward(self, dout, learning_rate):
        dx = dout * self.w
        self.w = self.w - learning_rate * self.factor * (dout * self.x).sum(axis=0)
        return dx


class InPlace(Learning):
    def backward(self, dout, lr=0.01):
        dx = dout * self.w
        self.w -= lr * self.factor * (dout * self.x).sum(axis=0)
        return dx


class Faint(Learning):
    """A layer whose gradient is below the rounding of its weights."""

    def forward(self, x):
        return 1e-8 * self.out(x)

    def backward(self, dout, learning_rate):
        return super().backward(1e-8 * dout, learning_rate)


class Attribute(Learning):
    learning_rate = 0.1

    def backward(self, dout):
        return super().backward(dout, self.learning_rate)


class Momentum(Learning):
    def __init__(self, factor=1.0):
        super().__init__(factor)
        self.velocity = np.zeros(4)

    def backward(self, dout, eta):
        self.velocity = 0.9 * self.velocity - eta * self.factor * (dout * self.x).sum(axis=0)
        dx = dout * self.w
        self.w = self.w + self.velocity
        return dx


@pytest.mark.parametrize("kind", [Learning, InPlace, Faint, Attribute, Momentum])
@pytest.mark.parametrize("mode", ["fast", "full"])
def test_a_layer_that_updates_itself_at_a_rate(kind, mode):
    layer = kind()
    before = layer.w.copy()
    assert rows_of(check_gradients(layer, X, mode=mode)) == [("w", "ok"), ("x", "ok")]
    assert (layer.w == before).all()
    assert [array.ok for array in check_gradients(kind(2.0), X, mode=mode).arrays] == [False, True]


@pytest.mark.parametrize("in_place", [True, False])
def test_a_layer_that_updates_itself_without_a_rate_is_told_so(in_place):
    class Stubborn(Learning):
        def backward(self, dout):
            dx = (InPlace if in_place else Learning).backward(self, dout, 0.5)
            return dx

    report = check_gradients(Stubborn(), X)
    assert not report.ok and [fault.kind for fault in report.faults] == ["updates itself"]
    assert rows_of(report) == [("x", "ok"), ("w", "not compared")]
    assert "backward updates w itself" in " ".join(str(report).split())


# ----------------------------------------------------------------------------------------- what else there is


class Adaptive(Learning):
    def __init__(self):
        super().__init__()
        self.mean, self.square = np.zeros(4), np.zeros(4)

    def backward(self, dout, learning_rate):
        gradient = (dout * self.x).sum(axis=0)
        self.mean, self.square = 0.9 * self.mean + gradient, 0.9 * self.square + gradient**2
        dx = dout * self.w
        self.w = self.w - learning_rate * self.mean / (np.sqrt(self.square) + 1e-8)
        return dx


class Limited(Learning):
    def backward(self, dout, learning_rate):
        self.w -= learning_rate * np.clip((dout * self.x).sum(axis=0), -0.1, 0.1)
        return dout * self.w


class Normalized(Learning):
    def backward(self, dout, learning_rate):
        gradient = (dout * self.x).sum(axis=0)
        self.w = self.w - learning_rate * gradient / np.sqrt((gradient**2).sum())
        return dout * self.w


@pytest.mark.parametrize("kind", [Adaptive, Limited, Normalized])
def test_an_update_that_is_not_the_gradient_is_not_taken_for_it(kind):
    report = check_gradients(kind(), X)
    assert not report.ok and "updates itself" in [fault.kind for fault in report.faults]
    assert "w" not in [array.name for array in report.arrays if array.verdict != "not compared"]


class Embedding:
    def __init__(self, factor=1.0, gives=None):
        self.W, self.factor, self.gives = new(6, 3), factor, gives

    def forward(self, ids):
        self.ids = ids
        return self.W[ids]

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.ids, self.factor * dout)
        return self.gives


@pytest.mark.parametrize("ids", [np.array([[0, 2], [2, 5]]), [[0, 2], [2, 5]]])
def test_integers_that_are_indices_are_left_alone(ids):
    assert rows_of(check_gradients(Embedding(), ids)) == [("W", "ok")]
    assert not check_gradients(Embedding(2.0), ids).ok


def test_integers_that_are_numbers_are_differentiated_by():
    check_gradients(Dense(), np.arange(20).reshape(5, 4)).assert_ok()
    assert rows_of(check_gradients(Dense(), np.arange(20).reshape(5, 4)))[-1] == ("x", "ok")


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_a_number_as_dout_cannot_be_written_to(mode):
    class Half:
        def forward(self, x):
            self.x = x
            return (x * x).sum()

        def backward(self, dout=1):
            dout *= 2
            return dout * self.x

    check_gradients(Half(), X, mode=mode).assert_ok()


def test_several_gradients_as_a_list():
    class Product:
        def forward(self, x, y):
            self.inputs = x, y
            return x * y

        def backward(self, dout):
            x, y = self.inputs
            return [dout * y, 2.0 * dout * x]

    report = check_gradients(Product(), X, X[::-1].copy())
    assert [(array.name, array.ok) for array in report.arrays] == [("x", True), ("y", False)]


@pytest.mark.parametrize("flag", ["train_flg", "training", "is_train"])
def test_a_network_s_loss_and_gradient_are_taken_in_training(flag):
    scope = {}
    exec(
        f"def loss(self, x, t, {flag}=False): return self.of(x, {flag})\n"
        f"def gradient(self, x, t, {flag}=False): return self.gradient_of(x, {flag})",
        scope,
    )

    class Net:
        loss, gradient = scope["loss"], scope["gradient"]

        def __init__(self):
            self.params = {"w": np.ones(4)}

        def of(self, x, training):
            return ((x * self.params["w"]) ** 2).sum() * (2.0 if training else 1.0)

        def gradient_of(self, x, training):
            return {"w": 2.0 * (x * x * self.params["w"]).sum(axis=0) * (2.0 if training else 1.0)}

    check_gradients(Net(), X, None).assert_ok()


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_network_s_attributes_that_its_gradients_are_named_after(factor):
    class Net:
        def __init__(self):
            self.W1, self.W2 = new(), new(3, 2)

        def loss(self, x, t):
            return (x @ self.W1 @ self.W2).sum()

        def gradient(self, x, t):
            ones = np.ones((5, 2))
            return {"W1": x.T @ ones @ self.W2.T, "W2": factor * (x @ self.W1).T @ ones}

    report = check_gradients(Net(), X, None)
    assert [(a.name, a.ok) for a in report.arrays] == [("W1", True), ("W2", factor == 1.0)]


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_network_of_integers(factor):
    class Net:
        def __init__(self):
            self.params = {"W": new(6, 3)}

        def loss(self, ids, t):
            return (self.params["W"][ids] ** 2).sum()

        def gradient(self, ids, t):
            dW = np.zeros((6, 3))
            np.add.at(dW, ids, 2.0 * factor * self.params["W"][ids])
            return {"W": dW}

    report = check_gradients(Net(), np.array([0, 2, 2]), None)
    assert [(a.name, a.ok) for a in report.arrays] == [("W", factor == 1.0)]


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_lists_of_weights_and_biases_under_their_short_names(factor):
    class Net:
        def __init__(self):
            self.weights, self.biases = [new(), new(3, 2)], [np.ones(3), np.ones(2)]

        def feedforward(self, a):
            self.seen = []
            for W, b in zip(self.weights, self.biases, strict=True):
                self.seen.append(a)
                a = a @ W + b
            return a

        def backprop(self, delta):
            self.nabla_w, self.nabla_b = [None, None], [None, None]
            for i in (1, 0):
                self.nabla_w[i], self.nabla_b[i] = factor * self.seen[i].T @ delta, delta.sum(axis=0)
                delta = delta @ self.weights[i].T
            return delta

    report = check_gradients(Net(), X)
    assert {a.name: a.ok for a in report.arrays} == {
        "weights[0]": factor == 1.0,
        "weights[1]": factor == 1.0,
        "biases[0]": True,
        "biases[1]": True,
        "x": True,
    }


def test_a_list_of_gradients_that_is_counted_otherwise_is_not_taken():
    class Net:
        def __init__(self):
            self.weights, self.bias = [new(), new(3, 3)], np.ones(3)

        def forward(self, x):
            self.x, self.h = x, x @ self.weights[0] + self.bias
            return self.h @ self.weights[1]

        def backward(self, dout):
            dh = dout @ self.weights[1].T
            self.gradients = [self.x.T @ dh, dh.sum(axis=0), self.h.T @ dout]
            return dh @ self.weights[0].T

    report = check_gradients(Net(), X)
    rows = {"weights[0]": "ok", "x": "ok", "weights[1]": "not compared", "bias": "not compared"}
    assert dict(rows_of(report)) == rows and not report.ok


def test_a_network_s_gradient_may_be_wrapped():
    class Wrapped(TwoLayerNet):
        @wraps(TwoLayerNet.gradient)
        def gradient(self, *inputs, **options):
            gradients = super().gradient(*inputs, **options)
            return {name: 2.0 * each if name == "x" else each for name, each in gradients.items()}

    report = check_gradients(Wrapped(4, 3, 2, rng=0), X, [0, 1, 1, 0, 1])
    assert [array.name for array in report.arrays if not array.ok] == ["x"]
