"""The contract of every layer: what it keeps and consumes, shapes and dtypes, arrays it never writes to."""

import copy
import pickle

import numpy as np
import pytest

from backends import Backend, asarray, backend_of, dtype_name, to_numpy
from backprop import layers, losses
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from backprop.losses import MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy

X = np.random.default_rng(0).normal(size=(4, 6))
IMAGES, LABELS = X.reshape(4, 1, 2, 3), [0, 2, 1, 1]


def built(layer, shape, dtype="float32"):
    """Return a layer whose arrays are made for samples of that shape."""
    layer.build(shape, rng=0, dtype=dtype)
    return layer


MAKE = {
    "Affine": lambda dtype: (Affine.create(6, 3, rng=0, dtype=dtype), (asarray(X, dtype),)),
    "Conv2D": lambda dtype: (built(Conv2D(2, 2), (1, 2, 3), dtype), (asarray(IMAGES, dtype),)),
    "MaxPool2D": lambda dtype: (MaxPool2D(2, 1), (asarray(IMAGES, dtype),)),
    "AveragePool2D": lambda dtype: (AveragePool2D(2, 1, 1), (asarray(IMAGES, dtype),)),
    "GlobalAveragePool2D": lambda dtype: (GlobalAveragePool2D(), (asarray(IMAGES, dtype),)),
    "ReLU": lambda dtype: (ReLU(), (asarray(X, dtype),)),
    "Sigmoid": lambda dtype: (Sigmoid(), (asarray(X, dtype),)),
    "Tanh": lambda dtype: (Tanh(), (asarray(X, dtype),)),
    "LeakyReLU": lambda dtype: (LeakyReLU(), (asarray(X, dtype),)),
    "GELU": lambda dtype: (GELU(), (asarray(X, dtype),)),
    "Softmax": lambda dtype: (Softmax(), (asarray(X, dtype),)),
    "Flatten": lambda dtype: (Flatten(), (asarray(X, dtype),)),
    "LayerNorm": lambda dtype: (
        LayerNorm(asarray(np.ones(6), dtype), asarray(np.zeros(6), dtype)),
        (asarray(X, dtype),),
    ),
    "BatchNorm": lambda dtype: (
        BatchNorm(asarray(np.ones(6), dtype), asarray(np.zeros(6), dtype)),
        (asarray(X, dtype),),
    ),
    "Dropout": lambda dtype: (built(Dropout(), (6,)), (asarray(X, dtype),)),
    "MeanSquaredError": lambda dtype: (MeanSquaredError(), (asarray(X, dtype), asarray(X + 1.0, dtype))),
    "SigmoidBinaryCrossEntropy": lambda dtype: (
        SigmoidBinaryCrossEntropy(),
        (asarray(X, dtype), asarray(abs(X) % 1.0, dtype)),
    ),
    "SoftmaxCrossEntropy": lambda dtype: (SoftmaxCrossEntropy(), (asarray(X, dtype), LABELS)),
}


NAMES = sorted({*layers.__all__, *losses.__all__} - {"Layer", "Loss"})


def test_every_layer_and_loss_is_here():
    assert sorted(MAKE) == NAMES


@pytest.fixture(params=NAMES)
def made(request, backend: Backend):
    """A layer and its inputs, in float32."""
    return MAKE[request.param]("float32")


def dout_like(out):
    return asarray(np.resize(X[::-1], out.shape), "float32", backend_of(out)) if out.shape else 0.5


def test_backward_before_forward_says_so(made):
    layer, _ = made
    with pytest.raises(RuntimeError, match="no forward has run; call forward first"):
        layer.backward(1.0)


def test_second_backward_says_so(made):
    layer, inputs = made
    dout = dout_like(layer.forward(*inputs))
    layer.backward(dout)
    with pytest.raises(
        RuntimeError, match="an earlier backward has used up the last forward; call forward again first"
    ):
        layer.backward(dout)


def test_evaluation_keeps_nothing(made):
    layer, inputs = made
    layer.forward(*inputs)
    layer.forward(*inputs, training=False)
    with pytest.raises(RuntimeError, match="training=False"):
        layer.backward(1.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_output_and_gradients_have_the_dtype_of_the_input(backend, name, dtype):
    layer, inputs = MAKE[name](dtype)
    out = layer.forward(*inputs)
    dout = asarray(np.ones(out.shape), dtype) if out.shape else 1.0
    dx = layer.backward(dout)
    for array in (out, dx, *layer.grads.values()):
        assert dtype_name(array.dtype) == dtype


def test_arguments_are_never_written_to(made):
    layer, inputs = made
    before = to_numpy(inputs[0]).copy()
    out = layer.forward(*inputs)
    dout = dout_like(out)
    dout_before = np.copy(to_numpy(dout))
    layer.backward(dout)
    np.testing.assert_array_equal(to_numpy(inputs[0]), before)
    np.testing.assert_array_equal(to_numpy(dout), dout_before)


def test_backward_honours_dout(made):
    layer, inputs = made
    again = copy.deepcopy(layer)  # in the same state, so that it drops the same values
    out = layer.forward(*inputs)
    dout = dout_like(out)
    dx = to_numpy(layer.backward(dout))
    again.forward(*inputs)
    np.testing.assert_allclose(to_numpy(again.backward(3.0 * dout)), 3.0 * dx, rtol=1e-5, atol=1e-5)


def test_kept_gradients_stay_as_they_were(made):
    layer, inputs = made
    out = layer.forward(*inputs)
    kept = [layer.backward(dout_like(out)), *layer.grads.values()]
    before = [to_numpy(array).copy() for array in kept]
    layer.forward(2.0 * inputs[0], *inputs[1:])
    layer.backward(dout_like(out))
    for array, values in zip(kept, before, strict=True):
        np.testing.assert_array_equal(to_numpy(array), values)


def test_copies_and_pickles_work_and_start_without_a_forward(made):
    layer, inputs = made
    state = copy.deepcopy(dict(layer.state))
    out = layer.forward(*inputs)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        with pytest.raises(RuntimeError, match="no forward has run"):
            twin.backward(dout_like(out))
        for name, array in state.items():
            twin.state[name][...] = array
        np.testing.assert_array_equal(to_numpy(twin.forward(*inputs)), to_numpy(out))
    layer.backward(dout_like(out))  # the original still has its forward


def test_dout_of_a_wrong_shape_or_dtype_is_refused(backend):
    for name in set(NAMES) - set(losses.__all__):
        layer, inputs = MAKE[name]("float32")
        out = layer.forward(*inputs)
        with pytest.raises(ValueError, match=rf"{name}.backward: dout must have the shape of the output"):
            layer.backward(asarray(np.ones((4, 9)), "float32"))
        layer.forward(*inputs)
        with pytest.raises(TypeError, match=rf"{name}.backward: dout must have the dtype"):
            layer.backward(asarray(np.ones(out.shape), "float64"))
        layer.forward(*inputs)
        with pytest.raises(TypeError, match=rf"{name}.backward: dout must be an array of a known library"):
            layer.backward([1.0])


def test_repr_tells_the_layer(backend):
    assert repr(Affine.create(6, 3)) == "Affine(6, 3)"
    assert repr(ReLU()) == "ReLU()"


def test_a_refused_backward_leaves_the_forward_to_the_next(backend):
    for name in set(NAMES) - set(losses.__all__):
        layer, inputs = MAKE[name]("float32")
        out = layer.forward(*inputs)
        with pytest.raises(TypeError, match="dout must have the dtype"):
            layer.backward(asarray(np.ones(out.shape), "float64"))
        assert layer.backward(asarray(np.ones(out.shape), "float32")).shape == inputs[0].shape


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_integers_are_refused(backend, name, dtype):
    layer, (_, *labels) = MAKE[name]("float32")
    with pytest.raises(TypeError, match=rf"{name}.forward: .*{dtype}"):
        layer.forward(asarray(np.ones((4, 6)), dtype), *labels)


@pytest.mark.parametrize("layer", [GELU(), LeakyReLU(), ReLU(), Sigmoid(), Tanh()], ids=repr)
def test_0d_arrays(backend, layer):
    out = layer.forward(asarray(2.0))
    assert layer.backward(out).shape == ()


@pytest.mark.parametrize(
    ("layer", "name", "wrong"),
    [
        (BatchNorm(), "eps", 0),
        (BatchNorm(), "momentum", 2),
        (Dropout(), "ratio", 1),
        (LayerNorm(), "eps", None),
        (LeakyReLU(), "slope", -1),
        (SoftmaxCrossEntropy(), "label_smoothing", "1"),
    ],
    ids=repr,
)
def test_a_setting_is_checked_when_it_is_assigned_and_has_a_default(layer, name, wrong):
    class Skips(type(layer)):
        def __init__(self):
            pass

    before = getattr(layer, name)
    with pytest.raises((ValueError, TypeError), match=f"^{type(layer).__name__}: {name} must be a"):
        setattr(layer, name, wrong)
    assert getattr(layer, name) == before == getattr(Skips(), name)
    setattr(layer, name, 0.25)
    assert getattr(copy.deepcopy(layer), name) == 0.25
    setattr(layer, name, before)
