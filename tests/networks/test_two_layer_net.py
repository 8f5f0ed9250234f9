"""TwoLayerNet: its parameters, what it computes, what it returns and what it leaves alone."""

import copy
import pickle

import numpy as np
import pytest

from backends import asarray, dtype_name, load, to_numpy
from backends.numpy import affine
from backprop import TwoLayerNet, check_gradients

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(6, 8)), RNG.integers(0, 3, 6)


def net_of(**options):
    return TwoLayerNet(8, 5, 3, **{"weight_init_std": 0.5, "rng": 0, **options})


def reference(params, x, t):
    """Loss and gradients written down once more, in float64."""
    W1, b1, W2, b2 = (to_numpy(params[name]).astype("float64") for name in ("W1", "b1", "W2", "b2"))
    h = np.maximum(x @ W1 + b1, 0)
    z = h @ W2 + b2
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    rows = np.arange(len(t))
    dz = p.copy()
    dz[rows, t] -= 1
    dz /= len(t)
    dh = (dz @ W2.T) * (h > 0)
    gradients = {"W1": x.T @ dh, "b1": dh.sum(0), "W2": h.T @ dz, "b2": dz.sum(0), "x": dh @ W1.T}
    return -np.log(p[rows, t]).mean(), z, gradients


def test_parameters_have_the_names_shapes_and_dtype_of_the_book(backend):
    net = TwoLayerNet(input_size=784, hidden_size=50, output_size=10, rng=0)
    assert {name: array.shape for name, array in net.params.items()} == {
        "W1": (784, 50),
        "b1": (50,),
        "W2": (50, 10),
        "b2": (10,),
    }
    assert list(net.layers) == ["Affine1", "ReLU1", "Affine2"]
    assert dtype_name(net.dtype) == "float32"
    assert net.backend is backend
    assert 0.0099 < to_numpy(net.params["W1"]).std() < 0.0101
    assert not to_numpy(net.params["b1"]).any()


def test_the_same_seed_gives_the_same_weights_on_every_backend_and_dtype(backend):
    weights = to_numpy(net_of(backend="numpy", dtype="float64").params.flat)
    np.testing.assert_array_equal(to_numpy(net_of(dtype="float64").params.flat), weights)
    np.testing.assert_array_equal(to_numpy(net_of(dtype="float32").params.flat), weights.astype("float32"))
    assert (to_numpy(net_of(rng=1).params["W1"]) != to_numpy(net_of().params["W1"])).all()


def test_loss_predictions_accuracy_and_gradients(backend):
    net = net_of(dtype="float64")
    loss, logits, gradients = reference(net.params, X, T)
    assert float(net.loss(X, T)) == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(to_numpy(net.predict(X)), logits, rtol=1e-13)
    assert net.accuracy(X, T) == (logits.argmax(axis=1) == T).mean()
    got = net.gradient(X, T, input_gradient=True)
    assert list(got) == ["W1", "b1", "W2", "b2", "x"]
    for name, values in got.items():
        np.testing.assert_allclose(to_numpy(values), gradients[name], rtol=1e-12, atol=1e-16)


def test_gradients_by_the_three_ways_agree(backend):
    net = net_of(dtype="float32")
    by_backpropagation = net.gradient(X, T)
    exact = net.numerical_gradient(X, T, method="complex")
    central = net.numerical_gradient(X, T)
    assert list(central) == list(exact) == list(by_backpropagation) == ["W1", "b1", "W2", "b2"]
    for name in exact:
        assert dtype_name(exact[name].dtype) == dtype_name(central[name].dtype) == "float64"
        np.testing.assert_allclose(to_numpy(central[name]), to_numpy(exact[name]), atol=2e-9)
        np.testing.assert_allclose(to_numpy(by_backpropagation[name]), to_numpy(exact[name]), atol=1e-6)


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("method", ["complex", "central"])
def test_gradient_check(backend, method, mode):
    report = check_gradients(net_of(), X, T, method=method, mode=mode)
    report.assert_ok()
    assert [array.name for array in report.arrays] == ["W1", "b1", "W2", "b2", "x"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_checks_never_touch_the_live_network(backend, dtype):
    net = net_of(dtype=dtype)
    before = to_numpy(net.params.flat).copy()
    out = net.layers["ReLU1"].forward(asarray([1.0, -1.0]))
    net.numerical_gradient(X, T)
    check_gradients(net, X, T)
    np.testing.assert_array_equal(to_numpy(net.params.flat), before)
    assert net.layers["ReLU1"].backward(out).shape == (2,)


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, asarray])
def test_data_may_come_in_many_forms(backend, kind):
    net = net_of(dtype="float64")
    expected = reference(net.params, X, T)[0]
    assert float(net.loss(kind(X), kind(T))) == pytest.approx(expected)
    assert float(net.loss(kind(X.reshape(6, 2, 4)), kind(np.eye(3)[T]))) == pytest.approx(expected)


def test_memory_maps_and_pixels_are_cast_but_never_scaled(backend, tmp_path):
    pixels = RNG.integers(0, 256, (6, 8)).astype("uint8")
    pixels.tofile(tmp_path / "pixels")
    net = net_of(dtype="float64")
    expected = reference(net.params, pixels.astype(float), T)[1]
    mapped = np.memmap(tmp_path / "pixels", "uint8", "r", shape=(6, 8))
    np.testing.assert_allclose(to_numpy(net.predict(mapped)), expected, rtol=1e-12)
    np.testing.assert_allclose(to_numpy(net.predict(pixels)), expected, rtol=1e-12)


def test_everything_stays_in_the_dtype_of_the_network(backend):
    for dtype in ("float32", "float64"):
        net = net_of(dtype=dtype)
        results = [net.loss(X, T), net.predict(X), *net.gradient(X, T, input_gradient=True).values()]
        assert {dtype_name(array.dtype) for array in results} == {dtype}
        assert isinstance(net.accuracy(X, T), float)


def test_the_dtype_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("BACKPROP_DTYPE", "float64")
    assert net_of().dtype == np.float64
    assert net_of(dtype="float32").dtype == np.float32
    monkeypatch.setenv("BACKPROP_DTYPE", "float16")
    with pytest.raises(ValueError, match="BACKPROP_DTYPE must be float32 or float64, got 'float16'"):
        net_of()


def test_evaluation_in_chunks_is_the_same(backend, monkeypatch):
    net = net_of(dtype="float64")
    whole = float(net.loss(X, T)), to_numpy(net.predict(X)), net.accuracy(X, T)
    monkeypatch.setattr(backend, "samples_at_once", 4)
    assert float(net.loss(X, T)) == pytest.approx(whole[0], rel=1e-12)
    np.testing.assert_allclose(to_numpy(net.predict(X)), whole[1], rtol=1e-12, atol=1e-14)
    assert net.accuracy(X, T) == whole[2]


@pytest.mark.parametrize("method", ["predict", "loss", "accuracy", "gradient"])
def test_the_layers_keep_nothing_of_what_the_network_does(backend, method):
    net = net_of()
    getattr(net, method)(*((X,) if method == "predict" else (X, T)))
    for layer in net.layers.values():
        with pytest.raises(RuntimeError, match="no forward has run"):
            layer.backward(None)


@pytest.mark.parametrize("input_gradient", [False, True])
def test_no_gradient_of_the_input_is_computed_unless_asked_for(monkeypatch, input_gradient):
    """It is a third of the work."""
    asked = []

    def spy(ws, *arguments):
        asked.append(ws.needs_dx)
        return products(ws, *arguments)

    products = affine.products
    monkeypatch.setattr(affine, "products", spy)
    net_of(backend="numpy").gradient(X, T, input_gradient=input_gradient)
    assert asked == [True, input_gradient]


def test_predicting_nothing_gives_nothing(backend):
    assert net_of().predict(np.ones((0, 8))).shape == (0, 3)


def test_kept_gradients_are_never_written_again(backend):
    net = net_of()
    kept = net.gradient(X, T, input_gradient=True)
    before = {name: to_numpy(values).copy() for name, values in kept.items()}
    net.gradient(-X, T)
    net.layers["Affine2"].forward(asarray(np.ones((2, 5)), "float32"))
    net.layers["Affine2"].backward(asarray(np.ones((2, 3)), "float32"))
    for name, values in kept.items():
        np.testing.assert_array_equal(to_numpy(values), before[name])


def test_the_update_of_the_book_trains_the_network(backend):
    net = net_of()
    losses = []
    for _ in range(20):
        gradient = net.gradient(X, T)
        losses.append(float(net.loss(X, T)))
        for name in ("W1", "b1", "W2", "b2"):
            net.params[name] -= 0.5 * gradient[name]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_and_pickles_train_on_their_own(backend, duplicate):
    net = net_of()
    net.gradient(X, T)
    twin = duplicate(net)
    before = float(net.loss(X, T))
    assert float(twin.loss(X, T)) == before
    for _ in range(5):
        gradient = twin.gradient(X, T)
        for name in twin.params:
            twin.params[name] -= 0.5 * gradient[name]
    assert float(twin.loss(X, T)) < before
    assert float(net.loss(X, T)) == before


def test_to_another_backend_and_dtype(backend):
    net = net_of(backend="numpy")
    moved = net.to(backend).astype("float64")
    assert (moved.backend, dtype_name(moved.dtype)) == (backend, "float64")
    assert (net.backend, dtype_name(net.dtype)) == (load("numpy"), "float32")
    np.testing.assert_array_equal(to_numpy(moved.params.flat), net.params.flat)
    before = float(net.loss(X, T))
    moved.params["W1"] -= 1.0
    assert float(net.loss(X, T)) == before
    for name, values in moved.gradient(X, T).items():
        np.testing.assert_allclose(to_numpy(values), reference(moved.params, X, T)[2][name], atol=1e-12)


def test_a_subclass_with_state_of_its_own_can_be_copied():
    class Named(TwoLayerNet):
        def __init__(self):
            super().__init__(8, 5, 3)
            self.notes = ["mine"]

    twin = Named().astype("float64")
    assert (type(twin), twin.notes) == (Named, ["mine"])


def test_an_alias_of_a_parameter_stays_one_in_a_copy(backend):
    class Named(TwoLayerNet):
        def __init__(self):
            super().__init__(8, 5, 3)
            self.W1 = self.params["W1"]

    for twin in (Named().astype("float64"), Named().to(backend)):
        twin.params["W1"] -= 1.0
        np.testing.assert_array_equal(to_numpy(twin.W1), to_numpy(twin.params["W1"]))
