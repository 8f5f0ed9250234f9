"""Conv2D: values and gradients against loops over every place, its two forms, what it refuses."""

import copy
import pickle

import numpy as np
import pytest
from slow_windows import GEOMETRIES, convolution

from backends import asarray, dtype_name, to_numpy
from backprop import Sequential, check_gradients, numerical_gradient, train
from backprop.layers import Affine, BatchNorm, Conv2D, MaxPool2D, ReLU, Tanh

EACH = pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
LIMITS = {"float32": 1e-5, "float64": 1e-13, "complex128": 1e-13}


def arrays(geometry, samples=2, channels=2, filters=3, dtype="float64"):
    """Return x, W, b and the settings of a layer."""
    image, kernel, stride, padding = geometry
    shapes = (samples, channels, *image), (filters, channels, *kernel), (filters,)
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape) for shape in shapes]
    if dtype == "complex128":
        values = [v + 1j * rng.normal(size=v.shape) for v in values]
    return *(v.astype(dtype) for v in values), {"stride": stride, "padding": padding}


def layer_of(W, b, settings):
    return Conv2D(asarray(W), asarray(b), **settings)


# ----------------------------------------------------------------------------------------- values, gradients


@EACH
@pytest.mark.parametrize("dtype", LIMITS)
def test_out_is_that_of_loops(backend, geometry, dtype):
    x, W, b, settings = arrays(geometry, dtype=dtype)
    expected = convolution(x, W, b, **settings)
    layer = layer_of(W, b, settings)
    for training in (True, False):
        out = layer.forward(asarray(x), training)
        assert dtype_name(out.dtype) == dtype and out.shape == expected.shape
        np.testing.assert_allclose(to_numpy(out), expected, rtol=0, atol=LIMITS[dtype] * abs(expected).max())


@EACH
@pytest.mark.parametrize("samples", [1, 2])
def test_gradients_are_the_derivatives_of_the_loops(geometry, samples):
    """By the complex step, through the loops and not through the layer."""
    x, W, b, settings = arrays(geometry, samples)
    layer = layer_of(W, b, settings)
    out = layer.forward(x)
    dout = np.random.default_rng(1).normal(size=out.shape)
    found = {"x": layer.backward(dout), **layer.grads}
    given = {"x": x, "W": W, "b": b}
    for name, values in given.items():

        def value(moved, name=name):
            return (dout * convolution(**{**given, name: moved}, **settings)).sum()

        expected = numerical_gradient(value, values.astype(complex), method="complex")
        assert found[name].shape == expected.shape
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-13 * max(1.0, abs(expected).max()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_have_the_dtype_and_nearly_the_digits_of_float64(backend, dtype):
    x, W, b, settings = arrays(GEOMETRIES["overlap"])
    results = []
    for name in ("float64", dtype):
        layer = layer_of(W.astype(name), b.astype(name), settings)
        out = layer.forward(asarray(x.astype(name)))
        dx = layer.backward(asarray(np.linspace(-1, 1, out.shape[0] * 27).reshape(out.shape), name))
        results.append([dx, *layer.grads.values()])
        assert {dtype_name(each.dtype) for each in results[-1]} == {name}
    for exact, found in zip(*results, strict=True):
        np.testing.assert_allclose(to_numpy(found), to_numpy(exact), rtol=0, atol=LIMITS[dtype] * 10)


def test_no_samples(backend):
    x, W, b, settings = arrays(GEOMETRIES["overlap"], samples=0)
    layer = layer_of(W, b, settings)
    out = layer.forward(asarray(x))
    assert out.shape == (0, 3, 3, 3) and layer.backward(out).shape == x.shape
    assert not to_numpy(layer.grads["W"]).any() and not to_numpy(layer.grads["b"]).any()


def test_samples_do_not_depend_on_each_other(backend):
    x, W, b, settings = arrays(GEOMETRIES["wide kernel, stride and padding"], samples=3)
    layer = layer_of(W, b, settings)
    out = to_numpy(layer.forward(asarray(x)))
    np.testing.assert_allclose(to_numpy(layer.forward(asarray(x[1:2]))), out[1:2], rtol=1e-14, atol=1e-14)


def test_nan_and_infinity_stay_within_the_windows_that_meet_them(backend):
    x, W, b, settings = arrays(GEOMETRIES["plain"], samples=1)
    for value in (np.nan, np.inf):
        x[0, 0, 0, 0] = value
        out = to_numpy(layer_of(abs(W), b, settings).forward(asarray(x)))
        assert not np.isfinite(out[0, :, 0, 0]).any() and np.isfinite(out[0, :, 1:, :]).all()


def test_memory_in_another_order_gives_the_same(backend):
    """Such as a view of images whose channels are stored last."""
    x, W, b, settings = arrays(GEOMETRIES["overlap"])
    layer = layer_of(W, b, settings)
    out = to_numpy(layer.forward(asarray(x)))
    dout = np.random.default_rng(1).normal(size=out.shape)
    dx, dW = to_numpy(layer.backward(asarray(dout))), to_numpy(layer.grads["W"])
    turned = [np.ascontiguousarray(np.moveaxis(each, (2, 0, 3, 1), (0, 1, 2, 3))) for each in (x, dout)]
    views = [asarray(np.moveaxis(each, (0, 1, 2, 3), (2, 0, 3, 1))) for each in turned]
    assert views[0].shape == x.shape
    np.testing.assert_allclose(to_numpy(layer.forward(views[0])), out, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(to_numpy(layer.backward(views[1])), dx, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(to_numpy(layer.grads["W"]), dW, rtol=1e-13, atol=1e-13)


def test_a_kernel_of_1_by_1_is_an_affine_map_of_the_channels(backend):
    x, W, b, settings = arrays(((3, 4), (1, 1), 1, 0))
    rows = np.moveaxis(x, 1, 3).reshape(-1, 2)
    expected = to_numpy(
        Affine(asarray(np.ascontiguousarray(W[:, :, 0, 0].T)), asarray(b)).forward(asarray(rows))
    )
    out = to_numpy(layer_of(W, b, settings).forward(asarray(x)))
    np.testing.assert_allclose(np.moveaxis(out, 1, 3).reshape(-1, 3), expected, rtol=1e-13, atol=1e-14)


@EACH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_agrees_with_pytorch(geometry, dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; it is in the extra `peers`")
    x, W, b, settings = arrays(geometry, dtype=dtype)
    layer = layer_of(W, b, settings)
    tensors = [torch.tensor(each, requires_grad=True) for each in (x, W, b)]
    theirs = torch.nn.functional.conv2d(*tensors, **settings)
    out = layer.forward(x)
    dout = np.random.default_rng(1).normal(size=out.shape).astype(dtype)
    theirs.backward(torch.tensor(dout))
    found = [out, layer.backward(dout), *layer.grads.values()]
    for mine, other in zip(found, [theirs.detach(), *(each.grad for each in tensors)], strict=True):
        expected = other.numpy()
        np.testing.assert_allclose(mine, expected, rtol=0, atol=LIMITS[dtype] * max(1.0, abs(expected).max()))


# ------------------------------------------------------------------------------------ settings, forms, copies


def test_the_unbuilt_form(backend):
    layer = Conv2D(30, 5)
    assert repr(layer) == "Conv2D(30, 5)" and layer.kernel == (5, 5) and not layer.params
    layer.build((3, 28, 28), rng=0, dtype="float32")
    assert {name: a.shape for name, a in layer.params.items()} == {"W": (30, 3, 5, 5), "b": (30,)}
    assert not to_numpy(layer.params["b"]).any()
    assert layer.forward(asarray(np.ones((2, 3, 28, 28)), "float32")).shape == (2, 30, 24, 24)
    assert layer.multiply_adds((30, 24, 24)) == 30 * 3 * 25 * 24 * 24


def test_how_it_is_printed():
    assert repr(Conv2D(4, (2, 3), stride=2, padding=1)) == "Conv2D(4, (2, 3), stride=2, padding=1)"
    assert repr(Conv2D(4, [3, 3], padding=1)) == "Conv2D(4, 3, padding=1)"
    assert repr(Conv2D(np.ones((2, 1, 1, 3)), np.ones(2), stride=3)) == "Conv2D(2, (1, 3), stride=3)"
    assert repr(Conv2D(np.int64(2), np.int64(3))) == "Conv2D(2, 3)"


@pytest.mark.parametrize(("rule", "variance"), [("he", 2.0), ("xavier", 1.0), (None, 1.0)])
def test_weights_are_drawn_for_the_values_that_a_filter_sums_over(rule, variance):
    layer = Conv2D(200, (3, 5), weight_init_std=rule)
    layer.build((8, 9, 9), rng=0, dtype="float64")
    assert layer.params["W"].std() == pytest.approx((variance / (8 * 3 * 5)) ** 0.5, rel=0.02)
    assert Conv2D(200, 3, weight_init_std=0.5).weight_init_std == 0.5


def test_a_network_takes_he_before_relu_and_xavier_before_tanh():
    for activation, variance in ((ReLU, 2.0), (Tanh, 1.0)):
        net = Sequential([Conv2D(300, 3), activation(), Affine(2)], (4, 4, 4), rng=0)
        assert net.params["W1"].std() == pytest.approx((variance / 36) ** 0.5, rel=0.02)
        assert net.params["W2"].shape == (300 * 2 * 2, 2)


def test_weights_of_a_function(backend):
    layer = Conv2D(2, (1, 2), weight_init_std=lambda shape, rng: np.full(shape, 0.5))
    layer.build((3, 4, 4))
    assert to_numpy(layer.params["W"]).tolist() == np.full((2, 3, 1, 2), 0.5).tolist()


@pytest.mark.parametrize("name", ["stride", "padding"])
def test_settings_are_fixed(name):
    layer = Conv2D(2, 3, stride=2, padding=1)
    before = getattr(layer, name)
    rule = f"^Conv2D: {name} is fixed when the layer is made; create a new Conv2D for another$"
    for value in (1, before, 0, None, "3"):
        with pytest.raises(AttributeError, match=rule):
            setattr(layer, name, value)
    assert getattr(layer, name) == before and type(before) is int


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_and_pickles(twin):
    x, W, b, settings = arrays(GEOMETRIES["wide kernel, stride and padding"])
    layer = layer_of(W, b, settings)
    again = twin(layer)
    assert repr(again) == repr(layer) and (again.stride, again.padding, again.kernel) == (2, 1, (2, 3))
    np.testing.assert_array_equal(again.forward(x), layer.forward(x))
    with pytest.raises(AttributeError, match="stride is fixed"):
        again.stride = 3
    unbuilt = twin(Conv2D(4, 3, padding=2))
    assert repr(unbuilt) == "Conv2D(4, 3, padding=2)" and not unbuilt.params


def test_arrays_are_used_without_a_copy(backend):
    _, W, b, _ = arrays(GEOMETRIES["plain"])
    W, b = asarray(W), asarray(b)
    layer = Conv2D(W, b)
    assert layer.params["W"] is W and layer.params["b"] is b and (layer.stride, layer.padding) == (1, 0)


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        ((), "the kernel must have a height and a width, got ()"),
        ((1, 2, 3), "the kernel must have a height and a width, got (1, 2, 3)"),
        ((2, 0), "the size of the kernel must be at least 1, got 0"),
        (None, "the size of the kernel is missing; for example Conv2D(30, 5)"),
    ],
)
def test_a_wrong_kernel(kernel, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        Conv2D(3, kernel)
    assert str(caught.value) == f"Conv2D: {words}"


# ----------------------------------------------------------------------------------------------- in a network


def small_net(dtype="float64"):
    layers = [Conv2D(4, 3, padding=1), BatchNorm(), ReLU(), MaxPool2D(2), Conv2D(5, 2), Tanh(), Affine(3)]
    return Sequential(layers, (2, 6, 4), rng=0, dtype=dtype)


def test_batch_norm_in_a_network_normalizes_each_channel(backend):
    net, x = small_net(), np.random.default_rng(0).normal(3.0, 2.0, size=(5, 2, 6, 4))
    assert net.params["gamma1"].shape == net.state["running_mean1"].shape == (4,)
    maps = net.layers["BatchNorm1"].forward(net.layers["Conv2D1"].forward(asarray(x)))
    values = np.moveaxis(to_numpy(maps), 1, 0).reshape(4, -1)
    np.testing.assert_allclose(values.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(values.std(axis=1), 1.0, rtol=1e-4)


def test_gradients_of_a_network():
    x = np.random.default_rng(0).normal(size=(4, 2, 6, 4))
    report = check_gradients(small_net(), x, [0, 1, 2, 1])
    report.assert_ok()
    assert [row.name for row in report.arrays][:4] == ["W1", "b1", "gamma1", "beta1"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_learns(dtype):
    """To tell rows from columns, and both from noise."""
    rng, t = np.random.default_rng(0), np.arange(60) % 3
    x = 0.1 * rng.normal(size=(60, 2, 6, 4))
    x[t == 1, :, 3, :] += 1.0
    x[t == 2, :, :, 1] += 1.0
    net = small_net(dtype)
    history = train(net, x, t, x, t, epochs=12, batch_size=20, learning_rate=0.3, rng=0)
    assert history.test_accuracy[-1] == 1.0 and history.loss[-1] < 0.2 < history.loss[0]
