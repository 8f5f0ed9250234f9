"""What the kernels promise, on every backend: exact at the extremes, and derivatives that are derivatives."""

import numpy as np
import pytest


def on(backend, *arrays):
    return [backend.asarray(np.asarray(array)) for array in arrays]


def normal(*shapes):
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_affine_backward_fills_the_arrays_it_is_given_and_returns_these(backend, dtype):
    arrays = normal((6, 4), (6, 5), (5, 4), (5, 4), (4,))
    dout, x, W, dW, db = on(backend, *(array.astype(dtype) for array in arrays))
    _, returned_dW, returned_db = backend.affine_backward(dout, x, W, dW, db)
    assert returned_dW is dW and returned_db is db
    _, new_dW, new_db = backend.affine_backward(dout, x, W)
    np.testing.assert_array_equal(backend.to_numpy(dW), backend.to_numpy(new_dW))
    np.testing.assert_array_equal(backend.to_numpy(db), backend.to_numpy(new_db))


def test_sgd_moves_the_parameters_in_place(backend):
    parameters, gradients = on(backend, np.array([1.0, 2.0]), np.array([10.0, -20.0]))
    backend.sgd(parameters, gradients, 0.5)
    assert backend.to_numpy(parameters).tolist() == [-4.0, 12.0]
    assert backend.to_numpy(gradients).tolist() == [10.0, -20.0]


def test_relu_keeps_nan(backend):
    (x,) = on(backend, np.array([np.nan, -1.0, 0.0, 2.0]))
    np.testing.assert_array_equal(backend.to_numpy(backend.relu(x)), [np.nan, 0.0, 0.0, 2.0])


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_sigmoid_of_huge_values_is_exact_and_silent(backend, dtype):
    (x,) = on(backend, np.array([-1e4, 0.0, 1e4]).astype(dtype))
    assert backend.to_numpy(backend.sigmoid(x)).tolist() == [0.0, 0.5, 1.0]
    assert backend.to_numpy(backend.sigmoid_backward(x * 0.0 + 1.0, x)).tolist() == [0.0, 0.25, 0.0]


def test_sigmoids_derivative_keeps_its_digits_where_the_output_rounds_to_one(backend):
    dout, x = on(backend, np.ones(2), [40.0, -700.0])
    expected = np.exp([-40.0, -700.0])
    np.testing.assert_allclose(backend.to_numpy(backend.sigmoid_backward(dout, x)), expected, rtol=1e-15)


def test_softmax_with_huge_logits_is_exact(backend):
    logits, t = on(backend, np.array([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]]), np.array([0, 1]))
    losses, derivative = backend.softmax_cross_entropy(logits, t)
    assert backend.to_numpy(losses).tolist() == [0.0, 2e4]
    assert backend.to_numpy(derivative).tolist() == [[0.0, 0.0, 0.0], [0.5, -0.5, 0.0]]


def test_softmax_keeps_the_digits_of_small_probabilities(backend):
    logits, t = on(backend, np.array([[0.0, -50.0, -700.0]]), np.array([0]))
    derivative = backend.to_numpy(backend.softmax_cross_entropy(logits, t)[1])
    np.testing.assert_allclose(derivative[0, 1:], np.exp([-50.0, -700.0]), rtol=1e-15)


@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 1), (1, 4), (3, 4), (2, 3, 4), (1, 1, 1)])
def test_sum_to_is_the_transpose_of_broadcasting(backend, shape):
    small, large = normal(shape, (2, 3, 4))
    summed = backend.to_numpy(backend.sum_to(backend.asarray(large), shape))
    assert summed.shape == shape
    assert np.vdot(summed, small) == pytest.approx(np.vdot(large, np.broadcast_to(small, large.shape)))


def test_gather_returns_rows_of_its_own(backend):
    array, indices = on(backend, np.array([[1.0], [2.0], [3.0]]), np.array([2, 0, 2]))
    rows = backend.gather(array, indices)
    array[...] = 0.0
    assert backend.to_numpy(rows).tolist() == [[3.0], [1.0], [3.0]]


def test_reductions(backend):
    logits, t = on(backend, np.array([[1.0, 5.0], [3.0, 2.0], [0.0, 4.0]]), np.array([1, 1, 1]))
    assert backend.to_numpy(backend.argmax(logits)).tolist() == [1, 0, 1]
    assert int(backend.count_correct(logits, t)) == 2
    assert float(backend.mean(logits)) == 2.5
    assert float(backend.inner(logits, logits)) == 55.0
    (a,) = on(backend, [1j, 2.0])
    assert complex(backend.inner(a, a)) == 3.0, "no conjugation: f(x + ih) must stay analytic"


H = 1e-30  # of the complex step: Im f(x + ih) / h is the derivative, exact to rounding


def stepped(backend, x, direction=1.0):
    return backend.asarray(x + 1j * H * direction)


def derivative(backend, value):
    return backend.to_numpy(value).imag / H


@pytest.mark.parametrize("name", ["relu", "sigmoid"])
def test_the_derivative_of_an_elementwise_kernel(backend, name):
    x, dout = np.array([-30.0, -1.5, 0.0, 1e-9, 0.7, 30.0]), np.array([1.0, -2.0, 3.0, 4.0, 5.0, 6.0])
    kept = backend.asarray(x) if name == "sigmoid" else backend.relu(backend.asarray(x))
    mine = backend.to_numpy(getattr(backend, f"{name}_backward")(backend.asarray(dout), kept))
    reference = dout * derivative(backend, getattr(backend, name)(stepped(backend, x)))
    np.testing.assert_allclose(mine, reference, rtol=1e-14)


@pytest.mark.parametrize("i", range(3), ids=["x", "W", "b"])
def test_the_derivative_of_affine(backend, i):
    *values, dout = normal((6, 5), (5, 4), (4,), (6, 4))
    gradient = backend.to_numpy(backend.affine_backward(*on(backend, dout, *values[:2]))[i])
    (direction,) = normal(values[i].shape)
    moved = on(backend, *values)
    moved[i] = stepped(backend, values[i], direction)
    reference = derivative(backend, backend.inner(backend.affine(*moved), backend.asarray(dout)))
    np.testing.assert_allclose((gradient * direction).sum(), reference, rtol=1e-13)


def test_the_derivative_of_softmax_cross_entropy(backend):
    z, direction = normal((6, 5), (6, 5))
    z, t = 3 * z, backend.asarray(np.array([0, 2, 4, 1, 3, 0]))
    gradient = backend.to_numpy(backend.softmax_cross_entropy(backend.asarray(z), t)[1])
    losses, _ = backend.softmax_cross_entropy(stepped(backend, z, direction), t)
    reference = derivative(backend, backend.mean(losses))
    np.testing.assert_allclose((gradient * direction).sum(), reference, rtol=1e-13)
