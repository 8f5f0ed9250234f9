"""The promises of the formulas on every backend: exact at the extremes, true derivatives, and pure.

The public passes take a twin where there is one; so these tests are of both.
"""

import numpy as np
import pytest

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
from backprop.optimizers import SGD, Momentum
from backprop.scalar.scalar_layer import sum_to
from backprop.training.step import minibatch


def on(backend, *arrays):
    return [backend.asarray(np.asarray(array)) for array in arrays]


def normal(*shapes):
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape) for shape in shapes]


def test_an_optimizer_moves_the_parameters_in_place(backend):
    w, g = on(backend, np.array([1.0, 2.0]), np.array([10.0, -20.0]))
    SGD(0.5).update({"w": w}, {"w": g})
    assert backend.to_numpy(w).tolist() == [-4.0, 12.0]
    assert backend.to_numpy(g).tolist() == [10.0, -20.0]
    momentum = Momentum(0.5, 0.25)
    for _ in range(2):
        momentum.update({"w": w}, {"w": g})
    assert backend.to_numpy(w).tolist() == [-4.0 - 5.0 - 6.25, 12.0 + 10.0 + 12.5]
    assert backend.to_numpy(g).tolist() == [10.0, -20.0]


def test_relu_keeps_nan(backend):
    (x,) = on(backend, np.array([np.nan, -1.0, 0.0, 2.0]))
    np.testing.assert_array_equal(backend.to_numpy(ReLU().forward(x)), [np.nan, 0.0, 0.0, 2.0])


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_sigmoid_of_huge_values_is_exact_and_silent(backend, dtype):
    (x,), layer = on(backend, np.array([-1e4, 0.0, 1e4]).astype(dtype)), Sigmoid()
    assert backend.to_numpy(layer.forward(x)).tolist() == [0.0, 0.5, 1.0]
    assert backend.to_numpy(layer.backward(x * 0.0 + 1.0)).tolist() == [0.0, 0.25, 0.0]


def test_sigmoids_derivative_keeps_its_digits_where_the_output_rounds_to_one(backend):
    (dout, x), layer = on(backend, np.ones(2), [40.0, -700.0]), Sigmoid()
    layer.forward(x)
    np.testing.assert_allclose(backend.to_numpy(layer.backward(dout)), np.exp([-40.0, -700.0]), rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_with_huge_logits_is_exact(backend, dtype):
    (z,), loss = on(backend, np.array([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]], dtype)), SoftmaxCrossEntropy()
    assert float(loss.forward(z, np.array([0, 1]))) == 1e4
    assert backend.to_numpy(loss.backward()).tolist() == [[0.0, 0.0, 0.0], [0.5, -0.5, 0.0]]


def test_the_derivative_of_softmax_keeps_its_digits_where_softmax_rounds_to_one(backend):
    (z,), loss = on(backend, np.array([[0.0, -50.0, -700.0]])), SoftmaxCrossEntropy()
    loss.forward(z, np.array([0]))
    derivative = backend.to_numpy(loss.backward())
    np.testing.assert_allclose(derivative[0, 1:], np.exp([-50.0, -700.0]), rtol=1e-15)


@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 1), (1, 4), (3, 4), (2, 3, 4), (1, 1, 1)])
def test_sum_to_is_the_transpose_of_broadcasting(backend, shape):
    small, large = normal(shape, (2, 3, 4))
    summed = backend.to_numpy(sum_to(backend.asarray(small), backend.asarray(large)))
    assert summed.shape == shape
    assert np.vdot(summed, small) == pytest.approx(np.vdot(large, np.broadcast_to(small, large.shape)))


def test_a_minibatch_has_rows_of_its_own(backend):
    x, targets, batch = on(backend, np.array([[1.0], [2.0], [3.0]]), np.array([4, 5, 6]), np.array([2, 0, 2]))
    rows, of_rows = minibatch(backend.xp, x, targets, batch)
    x[...] = backend.zeros((3, 1), "float64")
    assert backend.to_numpy(rows).tolist() == [[3.0], [1.0], [3.0]]
    assert backend.to_numpy(of_rows).tolist() == [6, 4, 6]


def test_which_rows_are_right(backend):
    z, t = on(backend, np.array([[1.0, 5.0], [3.0, 2.0], [0.0, 4.0]]), np.array([1, 1, 1]))
    assert backend.to_numpy(SoftmaxCrossEntropy().correct(backend.xp, z, t)).tolist() == [True, False, True]


H = 1e-30  # of the complex step: Im f(x + ih) / h is the derivative, exact to rounding


def stepped(backend, x, direction=1.0):
    return backend.asarray(x + 1j * H * direction)


def derivative(backend, value):
    return backend.to_numpy(value).imag / H


@pytest.mark.parametrize("layer", [GELU(), LeakyReLU(), ReLU(), Sigmoid(), Tanh()], ids=repr)
def test_the_derivative_of_an_elementwise_formula(backend, layer):
    x, dout = np.array([-30.0, -1.5, 0.0, 1e-9, 0.7, 30.0]), np.array([1.0, -2.0, 3.0, 4.0, 5.0, 6.0])
    layer.forward(backend.asarray(x))
    mine = backend.to_numpy(layer.backward(backend.asarray(dout)))
    reference = dout * derivative(backend, layer.compute(backend.xp, stepped(backend, x))[0])
    np.testing.assert_allclose(mine, reference, rtol=1e-14)


OF_WEIGHTS = {
    "Affine": (Affine, normal((6, 5), (5, 4), (4,), (6, 4))),
    "Conv2D": (
        lambda W, b: Conv2D(W, b, stride=2, padding=1),
        normal((2, 2, 5, 4), (3, 2, 2, 3), (3,), (2, 3, 3, 2)),
    ),
}


@pytest.mark.parametrize("i", range(3), ids=["x", "W", "b"])
@pytest.mark.parametrize("kind", OF_WEIGHTS)
def test_the_derivative_of_layers_with_weights(backend, kind, i):
    make, (*values, dout) = OF_WEIGHTS[kind]
    x, W, b, moved_dout = on(backend, *values, dout)
    layer = make(W, b)
    layer.forward(x)
    gradient = backend.to_numpy([layer.backward(moved_dout), *layer.grads.values()][i])
    (direction,) = normal(values[i].shape)
    moved = on(backend, *values)
    moved[i] = stepped(backend, values[i], direction)
    out = layer.compute(backend.xp, *moved)[0]
    reference = derivative(backend, backend.xp.sum(out * moved_dout))
    np.testing.assert_allclose((gradient * direction).sum(), reference, rtol=1e-13)


LABELS, SHARES = np.array([0, 2, 4, 1, 3, 0]), np.random.default_rng(1).dirichlet(np.ones(5), 6)
OF_LOSSES = [
    (SoftmaxCrossEntropy(), LABELS),
    (SoftmaxCrossEntropy(), SHARES),
    (SoftmaxCrossEntropy(0.1), LABELS),
    (SoftmaxCrossEntropy(0.1), SHARES),
    (SigmoidBinaryCrossEntropy(), SHARES),
    (MeanSquaredError(), SHARES),
]


@pytest.mark.parametrize(("loss", "targets"), OF_LOSSES)
def test_the_derivative_of_losses(backend, loss, targets):
    z, direction = normal((6, 5), (6, 5))
    z, t = 3 * z, backend.asarray(targets)
    loss.forward(backend.asarray(z), t)
    gradient = backend.to_numpy(loss.backward())
    losses, _ = loss.compute(backend.xp, stepped(backend, z, direction), t)
    reference = derivative(backend, backend.xp.mean(losses))
    np.testing.assert_allclose((gradient * direction).sum(), reference, rtol=1e-13)


# Arguments of compute in turn, float64; the last is the gradient of what it gives.
PURE = [
    (Affine(4), normal((6, 5), (5, 4), (4,), (6, 4))),
    (Affine(4), normal((6, 5, 1), (5, 4), (4,), (6, 4))),
    (Conv2D(3, 2), normal((2, 2, 3, 4), (3, 2, 2, 2), (3,), (2, 3, 2, 3))),
    (Conv2D(3, 2, stride=2, padding=1), normal((2, 2, 3, 4), (3, 2, 2, 2), (3,), (2, 3, 2, 3))),
    (MaxPool2D(2), normal((2, 2, 4, 4), (2, 2, 2, 2))),
    (AveragePool2D(2, 1, 1), normal((2, 2, 3, 3), (2, 2, 4, 4))),
    (GlobalAveragePool2D(), normal((2, 3, 4, 4), (2, 3))),
    (BatchNorm(), [*normal((6, 5), (5,), (5,), (5,)), np.ones(5), *normal((6, 5))]),
    *[(layer(), normal((6, 5), (6, 5))) for layer in (GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh)],
    (Flatten(), normal((6, 5, 2), (6, 10))),
    (LayerNorm(), normal((6, 5), (5,), (5,), (6, 5))),
    (Dropout(), [*normal((6, 5)), *np.arange(3, dtype="uint64").reshape(3, 1), *normal((6, 5))]),
    (SoftmaxCrossEntropy(), [*normal((6, 5)), LABELS, 1 / 6]),
    (SoftmaxCrossEntropy(0.1), [*normal((6, 5)), SHARES.astype("float32"), 1 / 6]),
    (SigmoidBinaryCrossEntropy(), [*normal((6, 5)), SHARES.astype("float32"), 1 / 6]),
    (MeanSquaredError(), [*normal((6, 5), (6, 5)), 1 / 6]),
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize(("layer", "values"), PURE, ids=lambda value: repr(value)[:20])
def test_a_formula_writes_into_none_of_its_arguments(backend, layer, values, dtype):
    given = [v.astype(dtype) if getattr(v, "dtype", None) == "float64" else v for v in values]
    arguments = [backend.asarray(v.copy()) if isinstance(v, np.ndarray) else v for v in given]
    *inputs, dout = arguments
    _, saved, *_ = layer.compute(backend.xp, *inputs)
    kept = [backend.to_numpy(array).copy() for array in saved]
    layer.derive(backend.xp, dout, *saved)
    for before, after in (*zip(given, arguments, strict=True), *zip(kept, saved, strict=True)):
        if isinstance(before, np.ndarray):
            np.testing.assert_array_equal(backend.to_numpy(after), before)
