"""Objects with their own passes in a network: they train there, and what they lack is reported."""

import copy
import functools
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import check_gradients, layers, train
from backprop.layers import Affine, BatchNorm, Layer, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(30, 4)), RNG.integers(0, 3, 30)


class Scale:
    """With params and grads."""

    def __init__(self):
        self.params, self.grads = {"w": asarray(np.ones(4))}, {}

    def forward(self, x):
        self.x = x
        return x * self.params["w"]

    def backward(self, dout):
        self.grads["w"] = summed(dout * self.x)
        return dout * self.params["w"]


class BookAffine:
    """With W, b and dW, db, as the book has them."""

    def __init__(self, n_in=4, n_out=4):
        rng = np.random.default_rng(1)
        self.W, self.b = asarray(rng.normal(size=(n_in, n_out))), asarray(np.zeros(n_out))
        self.x = self.dW = self.db = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, summed(dout)
        return dout @ self.W.T


class LateBookAffine(BookAffine):
    """Which shows its gradients only when backward has run."""

    def __init__(self):
        super().__init__()
        del self.x, self.dW, self.db


class Square:
    """Without parameters."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return 2.0 * dout * self.x


class OwnReLU(ReLU):
    """A Layer whose author has replaced its passes."""

    def forward(self, x, training=True):
        return super().forward(x, training)

    def backward(self, dout):
        return 0.5 * super().backward(dout)


class BookLoss:
    """The book's: forward gives the mean loss, backward takes dout=1."""

    def forward(self, x, t):
        self.y, self.t = softmax(x), t if t.ndim == 2 else np.eye(3)[t]
        return -np.log((self.y * self.t).sum(axis=1)).mean()

    def backward(self, dout=1):
        return (self.y - self.t) * dout / len(self.t)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def summed(array):
    ones = asarray(np.ones(array.shape[0]))
    return ones @ array


def net_of(own, loss=None, **options):
    layers = {"own": own(), "A": Affine(3, weight_init_std=1.0)}
    return Network(layers, loss or SoftmaxCrossEntropy(), 4, 3, rng=0, dtype="float64", **options)


RIGHT = [Scale, BookAffine, LateBookAffine, Square]


@pytest.mark.parametrize("own", RIGHT)
def test_its_gradients_are_those_of_the_network(backend, own):
    net = net_of(own)
    check_gradients(net, X, T, mode="full").assert_ok()
    for method in ("central", "complex"):
        for name, exact in net.numerical_gradient(X, T, method=method).items():
            np.testing.assert_allclose(to_numpy(net.gradient(X, T)[name]), to_numpy(exact), atol=2e-8)


@pytest.mark.parametrize("own", [*RIGHT, OwnReLU])
def test_it_trains_through_its_own_passes(backend, own):
    net, by_hand = net_of(own), net_of(own)
    history = train(net, X, T, iterations=6, batch_size=7, learning_rate=0.3, rng=5)
    assert history.loop == f"eager: {own.__name__} has its own passes"
    for batch in np.random.default_rng(5).integers(30, size=(6, 7)):
        gradient = by_hand.gradient(X[batch], T[batch])
        for name in by_hand.params:
            by_hand.params[name] -= 0.3 * gradient[name]
    np.testing.assert_allclose(to_numpy(net.params.flat), to_numpy(by_hand.params.flat), rtol=1e-12)


def test_a_layer_with_its_own_forward_is_built_and_keeps_its_state_where_others_do(backend):
    class Seen(layers.Dropout):
        def forward(self, x, training=True):
            return super().forward(x, training)

    net = Network([Seen(), Affine(3)], SoftmaxCrossEntropy(), 4, 3, rng=0, dtype="float64")
    x, t = X[:4], T[:4]
    net.gradient(x, t)
    losses = {float(net.loss(x, t, training=True)) for _ in range(2)}
    numerical = net.numerical_gradient(x, t, method="complex")
    assert len(losses) == 1 and to_numpy(net.state["passes1"]).tolist() == [1]
    for name, values in net.gradient(x, t).items():
        np.testing.assert_allclose(to_numpy(values), to_numpy(numerical[name]), rtol=0, atol=1e-15)
    net = Network([Seen(), BatchNorm(), Affine(3)], SoftmaxCrossEntropy(), 4, 3, rng=0)
    with pytest.raises(ValueError, match="two values per feature"):
        net.gradient(X[:1], T[:1])
    assert to_numpy(net.state["passes1"]).tolist() == [0]


def test_its_parameters_are_the_networks(backend):
    net = net_of(Scale)
    assert list(net.params) == ["w1", "W1", "b1"]
    net.params["w1"] = [2.0, 2.0, 2.0, 2.0]
    np.testing.assert_array_equal(to_numpy(net.layers["own"].params["w"]), [2.0] * 4)
    net = net_of(BookAffine)
    assert list(net.params) == ["W1", "b1", "W2", "b2"]
    net.params["b1"] += 3.0
    np.testing.assert_array_equal(to_numpy(net.layers["own"].b), [3.0] * 4)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
@pytest.mark.parametrize("own", [Scale, BookAffine])
def test_copies_keep_the_sharing(backend, own, duplicate):
    net = net_of(own)
    before = float(net.loss(X, T))
    twin = duplicate(net)
    twin.params.flat[...] = 0.0
    assert float(twin.loss(X, T)) == pytest.approx(np.log(3.0))
    assert float(net.loss(X, T)) == before


def test_a_loss_of_ones_own(monkeypatch):
    net, usual = net_of(Square, BookLoss(), backend="numpy"), net_of(Square, backend="numpy")
    for t in (T, np.eye(3)[T]):
        assert net.loss(X, t) == pytest.approx(float(usual.loss(X, T)), rel=1e-13)
        assert net.accuracy(X, t) == usual.accuracy(X, T)
        for name, expected in usual.gradient(X, T).items():
            np.testing.assert_allclose(net.gradient(X, t)[name], expected, rtol=1e-10, atol=1e-15)
    check_gradients(net, X, np.eye(3)[T], method="central").assert_ok()
    monkeypatch.setattr(type(net.backend), "samples_at_once", 7)  # pieces of 7, 7, 7, 7 and 2 samples
    assert net.loss(X, T) == pytest.approx(float(usual.loss(X, T)), rel=1e-13)
    histories = [train(each, X, T, iterations=12, batch_size=5, rng=0) for each in (net, usual)]
    np.testing.assert_allclose(histories[0].loss, histories[1].loss, rtol=1e-10)
    assert histories[0].train_accuracy == histories[1].train_accuracy
    net = Network([Affine(3)], BookLoss(), 4, 3, rng=0, dtype="float64", backend="numpy")
    assert train(net, X, T, iterations=1, rng=0).loop == "eager: BookLoss has its own passes"


def test_evaluation_is_told_to_those_who_ask():
    class Noisy(Square):
        def forward(self, x, train_flg=True):
            return super().forward(x) if train_flg else x

    net = net_of(Noisy, backend="numpy")
    plain = X @ net.params["W1"] + net.params["b1"]
    np.testing.assert_allclose(net.predict(X), plain, rtol=1e-12)
    assert float(net.loss(X, T, training=True)) != float(net.loss(X, T))


# ----------------------------------------------------------------------------------- what its author forgot


class Forgets(Scale):
    def backward(self, dout):
        return dout * self.params["w"]


class Misshapes(Scale):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads["w"] = dout
        return dx


class Narrows(Square):
    def forward(self, x):
        return np.asarray(super().forward(x), "float32")


class GivesALlist(Square):
    def forward(self, x):
        return super().forward(x).tolist()


@pytest.mark.parametrize(
    ("own", "error", "words"),
    [
        (Forgets, RuntimeError, "Forgets.backward left no gradient for w"),
        (
            Misshapes,
            ValueError,
            r"Misshapes.backward: the gradient of w must have its shape, \(4,\), got \(30, 4\)",
        ),
    ],
)
def test_what_is_forgotten_is_told_with_layer_and_parameter(own, error, words):
    net = net_of(own, backend="numpy")
    with pytest.raises(error, match=words):
        net.gradient(X, T)
    before = net.params.flat.copy()
    with pytest.raises(error):
        train(net, X, T, iterations=3, batch_size=30, evaluate_every=None)
    np.testing.assert_array_equal(net.params.flat, before)


class LosesSamples(Square):
    def forward(self, x):
        return super().forward(x)[:1]


@pytest.mark.parametrize(
    ("own", "error", "words"),
    [
        (GivesALlist, TypeError, "GivesALlist.forward must return an array of numpy, got list"),
        (Narrows, TypeError, "Narrows.forward must return an array of the dtype of x, float64, got float32"),
        (LosesSamples, ValueError, r"own must return a row for each sample, got \(1, 4\) for 2 samples"),
    ],
)
def test_a_wrong_output_is_refused_when_the_network_is_made(own, error, words):
    with pytest.raises(error, match=f"^Network: .*{words}"):
        net_of(own, backend="numpy")


def test_an_error_of_its_own_names_the_layer():
    class Broken(Square):
        def forward(self, x):
            raise KeyError("mine")

    with pytest.raises(
        TypeError, match=r"Network: own, <.*Broken.*>, does not fit after the input, .* KeyError: 'mine'"
    ):
        net_of(Broken)


def test_an_input_that_is_kept_beside_its_gradient_is_no_parameter():
    class Kept(Square):
        def __init__(self):
            self.x, self.dx = np.zeros((2, 4)), None

    assert list(net_of(Kept).params) == ["W1", "b1"]


# ------------------------------------------------------------------------ networks with their own passes


class Slots:
    __slots__ = ("W", "b", "dW", "db", "x")

    def __init__(self):
        self.W, self.b = asarray(np.random.default_rng(1).normal(size=(4, 4))), asarray(np.zeros(4))
        self.x = self.dW = self.db = None

    forward, backward = BookAffine.forward, BookAffine.backward


class WithAlias(Scale):
    """Its passes read an attribute beside params."""

    def __init__(self):
        super().__init__()
        self.w = self.params["w"]

    def forward(self, x):
        self.x = x
        return x * self.w

    def backward(self, dout):
        self.grads["w"] = summed(dout * self.x)
        return dout * self.w


class WithProperty(WithAlias):
    """Its params are made anew whenever they are asked for."""

    def __init__(self):
        self.w, self.grads = asarray(np.ones(4)), {}

    params = property(lambda self: {"w": self.w})


@pytest.mark.parametrize("own", [Slots, WithAlias, WithProperty])
def test_parameters_under_every_name_that_the_object_has_for_them(backend, own):
    net = net_of(own)
    check_gradients(net, X, T).assert_ok()
    layer, before = net.layers["own"], to_numpy(net.params.flat).copy()
    train(net, X, T, iterations=3, batch_size=10, learning_rate=0.3, rng=0)
    name, first = ("W", "W1") if own is Slots else ("w", "w1")
    np.testing.assert_array_equal(to_numpy(getattr(layer, name)), to_numpy(net.params[first]))
    assert (to_numpy(net.params.flat) != before).any()


class Lists(BookAffine):
    """As in the book's second volume."""

    def __init__(self):
        super().__init__()
        self.params, self.grads = [self.W, self.b], []


class Lazy(Square):
    def forward(self, x):
        self.params = getattr(self, "params", {"w": asarray(np.ones(4))})
        return super().forward(x) * self.params["w"]


class Fresh(Scale):
    """Nobody can put an array into its params."""

    def __init__(self):
        self._w = {"w": np.ones(4)}

    params = property(lambda self: {"w": self._w["w"]})


@pytest.mark.parametrize(
    ("own", "error", "words"),
    [
        (Lists, TypeError, "params must be a mapping of arrays by name, got list"),
        (Lazy, ValueError, "its first forward creates the parameters w: run it once before"),
        (Fresh, ValueError, "params must be a dict that its passes read, or its arrays must be attributes"),
    ],
)
def test_parameters_that_a_network_cannot_reach_are_refused(own, error, words):
    with pytest.raises(error, match=f"Network: own, .*{words}"):
        net_of(own, backend="numpy")


def test_parameters_whose_dtype_is_seen_too_late_are_named():
    words = "^Network: own has W and b, but no dW and db: set them to None in __init__"
    with pytest.raises(TypeError, match=words) as caught:
        Network({"own": LateBookAffine()}, SoftmaxCrossEntropy(), 4, dtype="float32", backend="numpy")
    assert len(str(caught.value)) <= 200


class Integers(BookAffine):
    """Its output has another dtype than x, and no parameter is the cause."""

    def forward(self, x):
        return super().forward(x).astype("int64")


def test_an_output_of_another_dtype_is_not_blamed_on_the_parameters():
    with pytest.raises(TypeError, match="must return an array of the dtype of x, .*, got int64"):
        net_of(Integers, backend="numpy")


class Wrapped(ReLU):
    """A decorator that keeps the name of what it wraps."""

    @functools.wraps(ReLU.forward)
    def forward(self, x, training=True):
        return 2.0 * super().forward(x, training)

    @functools.wraps(ReLU.backward)
    def backward(self, dout):
        return 2.0 * super().backward(dout)


def test_a_pass_that_wraps_ours_is_its_authors_own():
    net, plain = net_of(Wrapped, backend="numpy"), net_of(ReLU, backend="numpy")
    hidden = 2.0 * np.maximum(X, 0.0)
    np.testing.assert_allclose(net.predict(X), hidden @ net.params["W1"] + net.params["b1"], rtol=1e-13)
    assert (net.predict(X) != plain.predict(X)).any()
    check_gradients(net, X, T).assert_ok()


@pytest.mark.parametrize(
    ("dx", "error", "words"),
    [
        (lambda d: d[:1], ValueError, r"dx must have the shape of x, \(30, 4\), got \(1, 4\)"),
        (lambda d: 1.0, TypeError, "must return dx, an array of numpy, got float"),
        (lambda d: d.tolist(), TypeError, "must return dx, an array of numpy, got list"),
        (
            lambda d: None,
            TypeError,
            "must return the gradient of x, got None: is the return statement",
        ),
        (
            lambda d: d.astype("float32"),
            TypeError,
            "must return dx, an array of the dtype of x, float64, got fl",
        ),
    ],
)
def test_what_a_backward_returns_is_looked_at(dx, error, words):
    class Own(Square):
        def backward(self, dout):
            return dx(dout)

    class Formula(Layer):
        def compute(self, xp, x):
            return x, ()

        def derive(self, xp, dout):
            return dx(dout)

    for kind, name in ((Own, "Own.backward"), (Formula, "Formula.derive")):
        layers = [Affine(4), kind(), Affine(3)]
        net = Network(layers, SoftmaxCrossEntropy(), 4, 3, rng=0, dtype="float64", backend="numpy")
        with pytest.raises(error, match=f"{name}:? {words}"):
            net.gradient(X, T)


def test_the_books_loss_in_a_float32_network_with_integer_targets():
    net = Network([Affine(3)], BookLoss(), 4, 3, rng=0, dtype="float32", backend="numpy")
    usual = Network([Affine(3)], SoftmaxCrossEntropy(), 4, 3, rng=0, dtype="float32", backend="numpy")
    for t in (T, np.eye(3, dtype=int)[T]):
        for name, expected in usual.gradient(X, T).items():
            np.testing.assert_allclose(net.gradient(X, t)[name], expected, rtol=1e-4, atol=1e-7)


def test_attributes_of_strangers_are_not_taken_for_ours():
    class Loss(BookLoss):
        targets, correct = None, 0

    class Recurrent(Square):
        def __init__(self):
            self.state = np.zeros(6)

    net = net_of(Recurrent, Loss(), backend="numpy")
    assert dict(net.state) == {}
    train(net, X, T, iterations=2, batch_size=5, rng=0)
    assert 0.0 <= net.accuracy(X, T) <= 1.0


class Dropout:
    """The book's."""

    def forward(self, x, train_flg=True):
        self.mask = np.random.rand(*x.shape) > 0.5 if train_flg else 0.5
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


def test_numpys_own_random_numbers_are_the_same_at_every_evaluation():
    net = net_of(Dropout, backend="numpy")
    np.random.seed(3)
    numerical = net.numerical_gradient(X, T)
    np.random.seed(3)
    for name, gradient in net.gradient(X, T).items():
        np.testing.assert_allclose(gradient, numerical[name], atol=1e-8)


def test_batches_that_somebody_keeps_are_not_written_again():
    seen, batches = [], np.random.default_rng(0).integers(30, size=(3, 5))

    class Keeps(Square):
        def forward(self, x):
            if len(x) == 5:
                seen.append(x)
            return super().forward(x)

    train(net_of(Keeps, backend="numpy"), X, T, iterations=3, batch_size=5, rng=0, evaluate_every=None)
    np.testing.assert_array_equal(seen, X[batches])


class Decay(Network):
    """Weight decay, as in chapter 6 of the book."""

    def loss(self, x, t):
        return super().loss(x, t) + 0.05 * (self.params["W1"] ** 2).sum()

    def gradient(self, x, t):
        gradient = super().gradient(x, t)
        gradient["W1"] = gradient["W1"] + 0.1 * self.params["W1"]
        return gradient


class Opposite(Network):
    def predict(self, x):
        return -super().predict(x)


def plain_and(kind):
    make = lambda cls: cls([Affine(3)], SoftmaxCrossEntropy(), 4, 3, rng=3, dtype="float64", backend="numpy")  # noqa: E731
    return make(kind), make(Network)


def test_a_network_is_trained_through_its_own_loss_and_gradient():
    net, plain = plain_and(Decay)
    check_gradients(net, X, T).assert_ok()
    numerical = net.numerical_gradient(X, T)
    np.testing.assert_allclose(net.gradient(X, T)["W1"], numerical["W1"], atol=1e-8)
    history = train(net, X, T, iterations=5, batch_size=6, learning_rate=0.3, rng=5)
    assert history.loop == "eager: Decay overrides loss or gradient"
    losses = []
    for batch in np.random.default_rng(5).integers(30, size=(5, 6)):
        losses.append(plain.loss(X[batch], T[batch]) + 0.05 * (plain.params["W1"] ** 2).sum())
        gradient = plain.gradient(X[batch], T[batch])
        gradient["W1"] = gradient["W1"] + 0.1 * plain.params["W1"]
        for name in plain.params:
            plain.params[name] -= 0.3 * gradient[name]
    np.testing.assert_allclose(net.params.flat, plain.params.flat, rtol=1e-12)
    np.testing.assert_allclose(history.loss, losses, rtol=1e-12)


def test_a_network_is_measured_through_its_own_predict():
    net, plain = plain_and(Opposite)
    expected = float((plain.predict(X).argmin(axis=1) == T).mean())
    assert net.accuracy(X, T) == expected != plain.accuracy(X, T)
    assert train(net, X, T, iterations=1, batch_size=5, rng=0).train_accuracy[0] == expected


def test_a_loss_of_its_own_is_asked_for_that_in_training():
    class Flagged(Network):
        def loss(self, x, t, training=False):
            return super().loss(x, t, training)

    def net_of(cls):
        layers = [Affine(6, weight_init_std=1.0), BatchNorm(), ReLU(), Affine(3, weight_init_std=1.0)]
        return cls(layers, SoftmaxCrossEntropy(), 4, 3, rng=0, dtype="float64", backend="numpy")

    net, plain = net_of(Flagged), net_of(Network)
    check_gradients(net, X, T).assert_ok()
    for name, numerical in net.numerical_gradient(X, T).items():
        np.testing.assert_allclose(net.gradient(X, T)[name], numerical, atol=1e-8)
    losses = [train(each, X, T, iterations=4, batch_size=9, rng=0).loss for each in (net_of(Flagged), plain)]
    np.testing.assert_allclose(*losses, rtol=1e-12)


def test_a_gradient_with_threads_of_its_own_does_not_wait_for_itself():
    class Halves(Network):
        def gradient(self, x, t):
            with ThreadPoolExecutor(2) as pool:
                parts = [pool.submit(Network.gradient, self, x[i::2], t[i::2]) for i in (0, 1)]
                one, two = (part.result(timeout=30) for part in parts)
            return {name: 0.5 * (one[name] + two[name]) for name in one}

    layers = [BatchNorm(), Affine(3)]
    net = Halves(layers, SoftmaxCrossEntropy(), 4, 3, rng=0, dtype="float64", backend="numpy")
    assert len(train(net, X, T, iterations=3, batch_size=8, rng=0).loss) == 3


def test_methods_that_are_patched_on_the_class_itself_count(monkeypatch):
    net, _ = plain_and(Network)
    before, called = net.params.flat.copy(), []
    monkeypatch.setattr(Network, "loss", lambda self, x, t: called.append(len(x)) or 7.0)
    assert train(net, X, T, iterations=2, batch_size=5, rng=0).loss == [7.0, 7.0]
    assert called == [5, 5] and (net.params.flat != before).any()
