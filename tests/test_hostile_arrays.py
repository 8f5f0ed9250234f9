"""Arrays of unusual kinds and layouts: what is taken gives the answer of a plain array of the same values."""

import numpy as np
import pytest

from backprop import TwoLayerNet, asarray, numerical_gradient, to_numpy, train
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    GlobalAveragePool2D,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import MeanSquaredError, SoftmaxCrossEntropy
from backprop.optimizers import SGD

VALUES = np.arange(12.0).reshape(3, 4) % 7  # which every dtype holds exactly
LABELS = [0, 2, 1]


class Frame:
    """A stand-in for a pandas.DataFrame, as NumPy sees it."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


def in_the_middle(values):
    """A window into a larger array, one entry in two."""
    larger = np.full((9, 9), 1e30, values.dtype)
    larger[2:8:2, 1:8:2] = values
    return larger[2:8:2, 1:8:2]


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "a window": in_the_middle,
    "backwards": lambda values: values[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "big-endian": lambda values: values.astype(values.dtype.newbyteorder(">")),
    "broadcast": lambda values: np.broadcast_to(values, (2, 3, 4))[1],
}
KINDS = {
    **LAYOUTS,
    "float16": lambda values: values.astype("float16"),
    "longdouble": lambda values: values.astype("longdouble"),
    "uint8": lambda values: values.astype("uint8"),
    "big-endian integers": lambda values: values.astype(">i4"),
    "a matrix": lambda values: values.view(np.matrix),
    "records' array": lambda values: values.view(np.recarray),
    "a frame": Frame,
    "a frame of float64": lambda values: Frame(values.astype(float)),
    "a list": lambda values: values.tolist(),
    "rows in a tuple": tuple,
}


def close(a, b):
    np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_networks_take_it(kind):
    plain, x = VALUES.astype("float32"), KINDS[kind](VALUES.astype("float32"))
    nets = [TwoLayerNet(4, 5, 3, rng=0) for _ in range(2)]
    for net, samples in zip(nets, (plain, x), strict=True):
        train(net, samples, LABELS, iterations=3, batch_size=2, rng=0)
    net, other = nets
    close(net.params.flat, other.params.flat)
    close(net.predict(x), net.predict(plain))
    close(net.loss(x, LABELS), net.loss(plain, LABELS))
    close(net.gradient(x, LABELS)["W1"], net.gradient(plain, LABELS)["W1"])


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("kind", ["uint8", "big-endian integers", "read-only", "a frame", "a list"])
def test_labels_too(kind, one_hot):
    net, plain = TwoLayerNet(4, 5, 3, rng=0), np.eye(3, dtype=int)[LABELS] if one_hot else np.array(LABELS)
    close(net.loss(VALUES, KINDS[kind](plain)), net.loss(VALUES, LABELS))


@pytest.mark.parametrize("kind", KINDS)
def test_conversion_targets_and_assignment_take_it(kind):
    plain, made = VALUES.astype("float32"), KINDS[kind](VALUES.astype("float32"))
    close(asarray(made), plain)
    close(to_numpy(made), plain)
    assert type(asarray(made)) is type(to_numpy(made)) is np.ndarray
    close(MeanSquaredError().forward(plain + 1.0, made), 2.0)
    net = TwoLayerNet(3, 4, 2, rng=0)
    net.params["W1"] = made
    close(net.params["W1"], plain)


def dropout():
    layer = Dropout()
    layer.build((4,), rng=0)
    return layer


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_take_any_layout(layout, dtype):
    x, dout = VALUES.astype(dtype), (VALUES[::-1] - 2.0).astype(dtype)
    for make in (
        ReLU,
        Sigmoid,
        Tanh,
        GELU,
        LeakyReLU,
        Softmax,
        lambda: LayerNorm(np.array([1, -2, 3, 1], dtype), np.zeros(4, dtype)),
        lambda: Affine(np.ones((4, 4), dtype), np.ones(4, dtype)),
        lambda: BatchNorm(np.ones(4, dtype), np.zeros(4, dtype)),
        dropout,
        lambda: Affine(
            LAYOUTS[layout](VALUES.astype(dtype))[:, :4].T, LAYOUTS[layout](VALUES.astype(dtype))[:, 0]
        ),
    ):
        plain, other = make(), make()
        out = plain.forward(x)
        close(other.forward(LAYOUTS[layout](x)), out)
        grad = dout if out.shape == dout.shape else np.ascontiguousarray(dout[:, :3])
        dx = plain.backward(grad)
        unusual = LAYOUTS[layout](dout)
        close(other.backward(unusual if out.shape == dout.shape else unusual[:, :3]), dx)
        for name, gradient in plain.grads.items():
            close(other.grads[name], gradient)


IN_IMAGES = {
    "Fortran": np.asfortranarray,
    "channels last": lambda values: values.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2),
    "samples third": lambda values: values.transpose(2, 3, 0, 1).copy().transpose(2, 3, 0, 1),
    "one in two": lambda values: np.repeat(np.repeat(values, 2, axis=1), 2, axis=3)[:, ::2, :, 1::2],
    "backwards": lambda values: values[::-1, :, ::-1].copy()[::-1, :, ::-1],
    "read-only": read_only,
    "big-endian": LAYOUTS["big-endian"],
    "broadcast": lambda values: np.broadcast_to(values, (2, *values.shape))[1],
}


@pytest.mark.parametrize("layout", IN_IMAGES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_of_images_take_any_layout(layout, dtype):
    x = (np.arange(120.0).reshape(2, 3, 5, 4) % 7).astype(dtype)
    filters = (np.arange(54.0).reshape(3, 3, 2, 3) % 5 - 2.0).astype(dtype)
    bias = np.ones(3, dtype)
    for make in (
        lambda W: Conv2D(W, bias, stride=2, padding=1),
        lambda W: Conv2D(W, bias),
        lambda W: MaxPool2D(2),
        lambda W: MaxPool2D(3, 2, 1),
        lambda W: AveragePool2D(2, 1),
        lambda W: GlobalAveragePool2D(),
    ):
        plain, other = make(filters), make(IN_IMAGES[layout](filters))
        out = plain.forward(x)
        close(other.forward(IN_IMAGES[layout](x)), out)
        grad = (np.arange(out.size).reshape(out.shape) % 5).astype(dtype)
        dx = plain.backward(grad)
        close(other.backward(IN_IMAGES[layout](grad) if out.ndim == 4 else grad), dx)
        for name, gradient in plain.grads.items():
            close(other.grads[name], gradient)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_and_optimizers_take_any_layout(layout, dtype):
    scores, unusual = VALUES.astype(dtype), LAYOUTS[layout](VALUES.astype(dtype))
    plain, other = SoftmaxCrossEntropy(), SoftmaxCrossEntropy()
    close(other.forward(unusual, LABELS), plain.forward(scores, LABELS))
    close(other.backward(), plain.backward())
    w = np.ones((3, 4), dtype)
    SGD(0.5).update({"w": w}, {"w": unusual})
    close(w, 1.0 - 0.5 * VALUES)
    if layout not in ("read-only", "broadcast"):
        SGD(0.5).update({"w": unusual}, {"w": np.ones((3, 4), dtype)})
        close(unusual, VALUES - 0.5)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name not in ("read-only", "broadcast")])
def test_numerical_gradients_at_any_layout(layout):
    x = LAYOUTS[layout](VALUES)
    gradient = numerical_gradient(lambda x: float((x * x).sum()), x)
    np.testing.assert_allclose(gradient, 2.0 * VALUES, atol=1e-8)
    np.testing.assert_array_equal(x, VALUES)


def test_gradients_in_another_dtype_are_cast_to_that_of_the_parameters():
    for dtype in ("float64", "float32", "float16", "int64"):
        net = TwoLayerNet(4, 5, 3, rng=0)
        before = net.params.copy()
        ones = {name: np.ones(array.shape, dtype) for name, array in net.params.items()}
        SGD(0.5).update(net.params, ones)
        np.testing.assert_array_equal(net.params.flat, before.flat - np.float32(0.5))


def test_parameters_compare_by_name_and_value():
    net = TwoLayerNet(4, 5, 3, rng=0)
    same, other = net.params.copy(), TwoLayerNet(4, 5, 3, rng=1).params
    assert net.params == same and net.params == dict(same)
    assert net.params != other and net.params != TwoLayerNet(4, 6, 3, rng=0).params
    assert net.params != {} and net.params != 3 and net.params != {**same, "more": same["W1"]}
    same["b2"] = [0.0, 0.0, 1e-30]
    assert net.params != same


def test_a_class_that_is_no_subclass_but_wraps_an_array_fails_with_its_cause():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise OSError("the disk is gone")

    with pytest.raises(
        TypeError, match="TwoLayerNet.predict: x must be an array of numbers, got .*Broken"
    ) as caught:
        TwoLayerNet(4, 5, 3, rng=0).predict(Broken())
    assert isinstance(caught.value.__cause__, OSError)
