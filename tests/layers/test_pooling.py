"""MaxPool2D, AveragePool2D, GlobalAveragePool2D: values and gradients against loops, ties, padding, NaN."""

import copy
import pickle

import numpy as np
import pytest
from slow_windows import SQUARE, first_largest, mean, pooling

from backends import asarray, dtype_name, to_numpy
from backprop import numerical_gradient
from backprop.layers import AveragePool2D, GlobalAveragePool2D, MaxPool2D

EACH = pytest.mark.parametrize("geometry", SQUARE.values(), ids=SQUARE)
CHOICES = {MaxPool2D: (first_largest, -np.inf), AveragePool2D: (mean, 0.0)}
BOTH = pytest.mark.parametrize("kind", CHOICES, ids=lambda kind: kind.__name__)
LIMITS = {"float32": 1e-6, "float64": 1e-14, "complex128": 1e-14}


def images(geometry, samples=2, dtype="float64"):
    rng, shape = np.random.default_rng(0), (samples, 3, *geometry[0])
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if dtype == "complex128" else x).astype(dtype)


def slow(kind, x, geometry):
    return pooling(*CHOICES[kind], x, *geometry[1:])


# ------------------------------------------------------------------------------------------ values, gradients


@EACH
@BOTH
@pytest.mark.parametrize("dtype", LIMITS)
def test_out_is_that_of_loops(backend, kind, geometry, dtype):
    x, layer = images(geometry, dtype=dtype), kind(*geometry[1:])
    expected = slow(kind, x, geometry)
    for training in (True, False):
        out = layer.forward(asarray(x), training)
        assert dtype_name(out.dtype) == dtype and out.shape == expected.shape
        np.testing.assert_allclose(to_numpy(out), expected, rtol=LIMITS[dtype], atol=LIMITS[dtype])


@EACH
@BOTH
@pytest.mark.parametrize("samples", [1, 2])
def test_the_gradient_is_the_derivative_of_the_loops(kind, geometry, samples):
    """By the complex step, through the loops and not through the layer."""
    x, layer = images(geometry, samples), kind(*geometry[1:])
    dout = np.random.default_rng(1).normal(size=layer.forward(x).shape)
    found = layer.backward(dout)

    def value(moved):
        return (dout * slow(kind, moved, geometry)).sum()

    expected = numerical_gradient(value, x.astype(complex), method="complex")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@EACH
@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_agrees_with_pytorch(kind, geometry, dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; it is in the extra `peers`")
    x, layer = images(geometry, dtype=dtype), kind(*geometry[1:])
    theirs_of = {MaxPool2D: torch.nn.functional.max_pool2d, AveragePool2D: torch.nn.functional.avg_pool2d}
    tensor = torch.tensor(x, requires_grad=True)
    theirs = theirs_of[kind](tensor, *geometry[1:])
    out = layer.forward(x)
    dout = np.random.default_rng(1).normal(size=out.shape).astype(dtype)
    theirs.backward(torch.tensor(dout))
    np.testing.assert_allclose(out, theirs.detach().numpy(), rtol=0, atol=LIMITS[dtype])
    np.testing.assert_allclose(layer.backward(dout), tensor.grad.numpy(), rtol=0, atol=4 * LIMITS[dtype])


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 1, 1, 1), (3, 2, 1, 7)])
def test_global_pooling_is_the_mean_of_each_channel(backend, shape, dtype):
    x = images((shape[2:],), shape[0], dtype)[:, : shape[1]]
    layer = GlobalAveragePool2D()
    out = layer.forward(asarray(x))
    assert out.shape == shape[:2] and dtype_name(out.dtype) == dtype
    by_loops = [[mean(list(channel.reshape(-1))) for channel in image] for image in x]
    np.testing.assert_allclose(to_numpy(out), by_loops, rtol=LIMITS[dtype] * 10)
    dout = np.arange(1.0, 1.0 + shape[0] * shape[1]).reshape(shape[:2]).astype(dtype)
    dx = layer.backward(asarray(dout))
    share = np.broadcast_to(dout[:, :, None, None] / (shape[2] * shape[3]), shape)
    np.testing.assert_allclose(to_numpy(dx), share, rtol=LIMITS[dtype])


def test_no_samples_and_no_channels(backend):
    for layer in (MaxPool2D(2), AveragePool2D(2), GlobalAveragePool2D()):
        for shape in ((0, 3, 4, 4), (2, 0, 4, 4)):
            out = layer.forward(asarray(np.ones(shape)))
            assert out.shape[:2] == shape[:2] and layer.backward(out).shape == shape


@BOTH
def test_memory_in_another_order_gives_the_same(backend, kind):
    """Such as a view of images whose channels are stored last."""
    geometry = SQUARE["overlap and padding"]
    x, layer = images(geometry), kind(*geometry[1:])
    out = to_numpy(layer.forward(asarray(x)))
    dx = to_numpy(layer.backward(asarray(2.0 * out)))
    turned = [np.ascontiguousarray(np.moveaxis(each, (2, 0, 3, 1), (0, 1, 2, 3))) for each in (x, 2.0 * out)]
    views = [asarray(np.moveaxis(each, (0, 1, 2, 3), (2, 0, 3, 1))) for each in turned]
    np.testing.assert_allclose(to_numpy(layer.forward(views[0])), out, rtol=1e-14)
    np.testing.assert_allclose(to_numpy(layer.backward(views[1])), dx, rtol=1e-13, atol=1e-13)


# ---------------------------------------------------------------------------------------- ties, padding, NaN


def test_of_equal_values_the_first_gets_the_gradient(backend):
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 0, 3] = x[0, 0, 1, 2] = 7.0  # in one window; the upper one comes first
    x[0, 0, 2:, :2] = [[-0.0, 0.0], [0.0, -0.0]]
    layer = MaxPool2D(2)
    assert to_numpy(layer.forward(asarray(x))).tolist() == [[[[0.0, 7.0], [0.0, 0.0]]]]
    dx = to_numpy(layer.backward(asarray(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))))
    assert dx[0, 0].tolist() == [[1, 0, 0, 2], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]


def test_a_value_that_is_largest_in_several_windows_gets_all_of_their_gradients(backend):
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1.0
    layer = MaxPool2D(2, 1)
    assert to_numpy(layer.forward(asarray(x))).tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]
    dx = to_numpy(layer.backward(asarray(np.array([[[[1.0, 2.0], [4.0, 8.0]]]]))))
    assert dx[0, 0].tolist() == [[0, 0, 0], [0, 15, 0], [0, 0, 0]]


def test_padding_is_never_the_maximum(backend):
    x = -5.0 - np.random.default_rng(0).random((2, 3, 4, 4))
    layer = MaxPool2D(3, 1, 1)
    out = to_numpy(layer.forward(asarray(x)))
    assert (out <= -5.0).all() and np.isfinite(out).all()
    dout = np.ones(out.shape)
    assert to_numpy(layer.backward(asarray(dout))).sum() == dout.sum()


def test_padding_counts_in_the_mean(backend):
    layer = AveragePool2D(2, padding=1)
    x = asarray(np.full((1, 1, 2, 2), 8.0))
    assert to_numpy(layer.forward(x)).tolist() == [[[[2.0, 2.0], [2.0, 2.0]]]]
    assert to_numpy(layer.backward(x)).tolist() == [[[[2.0, 2.0], [2.0, 2.0]]]]


@pytest.mark.parametrize("position", [(0, 0), (1, 1)])
def test_nan_stays_nan_in_its_windows(backend, position):
    x = np.arange(32.0).reshape(2, 1, 4, 4)
    x[(0, 0, *position)] = np.nan
    for layer in (MaxPool2D(2), AveragePool2D(2)):
        out = to_numpy(layer.forward(asarray(x)))
        assert np.isnan(out[0, 0, 0, 0]) and np.isnan(out).sum() == 1
    assert np.isnan(to_numpy(GlobalAveragePool2D().forward(asarray(x)))).tolist() == [[True], [False]]


def test_infinities(backend):
    x = np.full((1, 1, 2, 4), -np.inf)
    x[0, 0, 0, 3] = np.inf
    out = to_numpy(MaxPool2D(2).forward(asarray(x)))
    assert out.tolist() == [[[[-np.inf, np.inf]]]]


def test_complex_values_are_compared_by_their_real_parts(backend):
    x = asarray(np.array([[[[1.0 + 9j, 2.0 - 1j], [2.0 + 5j, -3.0 + 0j]]]]))
    layer = MaxPool2D(2)
    assert to_numpy(layer.forward(x)).tolist() == [[[[2.0 - 1j]]]]
    assert to_numpy(layer.backward(asarray(np.array([[[[3.0 + 0j]]]])))).tolist() == [[[[0, 3], [0, 0]]]]


# ----------------------------------------------------------------------------------- settings, forms, copies


@BOTH
def test_the_stride_is_the_size_unless_it_is_given(kind):
    layer = kind(3)
    assert (layer.size, layer.stride, layer.padding, layer.kernel) == (3, 3, 0, (3, 3))
    layer = kind(size=np.int64(3), stride=2, padding=1)
    assert (layer.size, layer.stride, layer.padding) == (3, 2, 1) and type(layer.size) is int


@BOTH
def test_how_it_is_printed(kind):
    name = kind.__name__
    assert repr(kind(3)) == repr(kind(3, 3)) == f"{name}(3)"
    assert repr(kind(3, 2, 1)) == f"{name}(3, stride=2, padding=1)"
    assert repr(kind(2, padding=1)) == f"{name}(2, padding=1)"
    assert repr(GlobalAveragePool2D()) == "GlobalAveragePool2D()"


@BOTH
@pytest.mark.parametrize("name", ["size", "stride", "padding"])
def test_settings_are_fixed(kind, name):
    layer = kind(3, 2, 1)
    before = getattr(layer, name)
    rule = f"^{kind.__name__}: {name} is fixed when the layer is made; create a new {kind.__name__} for "
    for value in (before, 1, None, "2"):
        with pytest.raises(AttributeError, match=rule):
            setattr(layer, name, value)
    assert getattr(layer, name) == before


@BOTH
@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_and_pickles(kind, twin):
    geometry = SQUARE["overlap and padding"]
    layer, x = kind(*geometry[1:]), images(geometry)
    again = twin(layer)
    assert repr(again) == repr(layer) and again.kernel == (3, 3)
    np.testing.assert_array_equal(again.forward(x), layer.forward(x))
    with pytest.raises(AttributeError, match="size is fixed"):
        again.size = 2


@BOTH
def test_padding_is_at_most_half_of_the_size_and_as_large_as_the_image(kind):
    name = kind.__name__
    with pytest.raises(
        ValueError, match=f"^{name}: padding must be at most half of size, got 2 for a size of 3$"
    ):
        kind(3, padding=2)
    rule = f"^{name}.forward: padding, 2, must be at most the height and the width of the image, got 1 and 7$"
    with pytest.raises(ValueError, match=rule):
        kind(5, padding=2).forward(np.ones((1, 1, 1, 7)))
    assert kind(5, padding=2).forward(np.ones((1, 1, 2, 7))).shape == (1, 1, 1, 2)
