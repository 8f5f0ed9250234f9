"""ReLU and Sigmoid: values, extremes, complex input."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.layers import ReLU, Sigmoid


def test_relu_values_and_the_kink(backend):
    layer = ReLU()
    np.testing.assert_array_equal(to_numpy(layer.forward(asarray([-2.0, -0.0, 0.0, 3.0]))), [0, 0, 0, 3])
    np.testing.assert_array_equal(to_numpy(layer.backward(asarray([5.0, 5.0, 5.0, 5.0]))), [0, 0, 0, 5])


def test_relu_does_not_hide_nan(backend):
    assert np.isnan(to_numpy(ReLU().forward(asarray([np.nan])))).all()


def test_relu_gates_complex_input_by_its_real_part(backend):
    x = asarray([1e-30j, 1 + 1e-30j, -1 + 1e-30j])
    np.testing.assert_array_equal(to_numpy(ReLU().forward(x)), [0, 1 + 1e-30j, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_sigmoid_does_not_overflow(backend, dtype):
    x = asarray([-1e4, -800.0, 0.0, 800.0, 1e4], dtype)
    np.testing.assert_array_equal(to_numpy(Sigmoid().forward(x)), [0, 0, 0.5, 1, 1])


def test_sigmoid_against_its_formula(backend):
    x = np.linspace(-30, 30, 601)
    np.testing.assert_allclose(to_numpy(Sigmoid().forward(asarray(x))), 1 / (1 + np.exp(-x)), rtol=1e-15)


def test_sigmoid_derivative_keeps_its_digits_in_both_tails(backend):
    layer = Sigmoid()
    layer.forward(asarray([-50.0, 50.0]))
    np.testing.assert_allclose(to_numpy(layer.backward(asarray([1.0, 1.0]))), np.exp(-50.0), rtol=1e-15)
