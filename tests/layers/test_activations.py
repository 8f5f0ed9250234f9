"""Activations: values, extremes, derivatives in the tails, complex input."""

import math

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.layers import GELU, LeakyReLU, ReLU, Sigmoid, Tanh
from backprop.layers.normal import normal


def test_relu_values_and_the_kink(backend):
    layer = ReLU()
    np.testing.assert_array_equal(to_numpy(layer.forward(asarray([-2.0, -0.0, 0.0, 3.0]))), [0, 0, 0, 3])
    np.testing.assert_array_equal(to_numpy(layer.backward(asarray([5.0, 5.0, 5.0, 5.0]))), [0, 0, 0, 5])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", [ReLU(), LeakyReLU(), Sigmoid(), Tanh(), GELU()], ids=repr)
def test_nan_is_not_hidden(backend, layer, dtype):
    out = layer.forward(asarray([np.nan, 1.0], dtype))
    assert np.isnan(to_numpy(out)).tolist() == [True, False]


def test_relu_gates_complex_input_by_its_real_part(backend):
    x = asarray([1e-30j, 1 + 1e-30j, -1 + 1e-30j])
    np.testing.assert_array_equal(to_numpy(ReLU().forward(x)), [0, 1 + 1e-30j, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_leaky_relu_values_and_the_kink(backend, dtype):
    layer = LeakyReLU(0.25)
    out, dout = layer.forward(asarray([-2.0, -0.0, 0.0, 3.0], dtype)), asarray([4.0, -4.0, 4.0, -4.0], dtype)
    np.testing.assert_array_equal(to_numpy(out), [-0.5, 0, 0, 3])
    np.testing.assert_array_equal(to_numpy(layer.backward(dout)), [1, -1, 1, -4])
    assert repr(layer) == "LeakyReLU(0.25)" and repr(LeakyReLU()) == "LeakyReLU(0.01)"


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_no_value_overflows(backend, dtype):
    most = float(np.finfo(dtype).max)
    x = np.array([-most, -800.0, 0.0, 800.0, most])
    for layer, expected in (
        (Sigmoid(), [0, 0, 0.5, 1, 1]),
        (Tanh(), [-1, -1, 0, 1, 1]),
        (GELU(), [0, 0, 0, 800, most]),
    ):
        np.testing.assert_array_equal(to_numpy(layer.forward(asarray(x, dtype))), expected)
        dx = layer.backward(asarray(np.ones(5), dtype))
        slopes = {"Sigmoid": [0, 0, 0.25, 0, 0], "Tanh": [0, 0, 1, 0, 0], "GELU": [0, 0, 0.5, 1, 1]}
        np.testing.assert_array_equal(to_numpy(dx), slopes[type(layer).__name__])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinite_input_has_the_limits(backend, dtype):
    x = asarray([-np.inf, np.inf], dtype)
    for layer, expected in ((Sigmoid(), [0, 1]), (Tanh(), [-1, 1]), (GELU(), [0, np.inf])):
        np.testing.assert_array_equal(to_numpy(layer.forward(x)), expected)
        dx = layer.backward(asarray([1.0, 1.0], dtype))
        np.testing.assert_array_equal(to_numpy(dx), [0, 1] if type(layer) is GELU else [0, 0])


def test_sigmoid_and_tanh_against_their_formulas(backend):
    x = np.linspace(-30, 30, 601)
    np.testing.assert_allclose(to_numpy(Sigmoid().forward(asarray(x))), 1 / (1 + np.exp(-x)), rtol=1e-15)
    np.testing.assert_allclose(to_numpy(Tanh().forward(asarray(x))), [*map(math.tanh, x)], rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_derivatives_keep_their_digits_in_both_tails(backend, dtype):
    """Where the output rounds to 1, so that 1 - out would be 0."""
    rtol = 1e-15 if dtype == "float64" else 1e-6
    for layer, expected in ((Sigmoid(), math.exp(-40.0)), (Tanh(), 4.0 * math.exp(-80.0))):
        layer.forward(asarray([-40.0, 40.0], dtype))
        dx = to_numpy(layer.backward(asarray([1.0, 1.0], dtype)))
        np.testing.assert_allclose(dx, expected, rtol=rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_values_keep_their_digits(backend, dtype):
    x = np.array([1e-30, -1e-8, 1e-4]).astype(dtype)
    np.testing.assert_allclose(to_numpy(Tanh().forward(asarray(x))), x, rtol=4e-9 + np.finfo(dtype).eps)
    np.testing.assert_allclose(to_numpy(GELU().forward(asarray(x))), 0.5 * x, rtol=1e-4)


# x, x Φ(x) and Φ(x) + x φ(x), by mpmath with 60 digits.
GELU_VALUES = [
    (-37.0, -2.1184613523340934e-298, -7.8382986694185162e-297),
    (-20.0, -5.5072482372124674e-88, -1.1014360483133464e-86),
    (-8.5, -8.0576045988728206e-17, -6.8465049386970843e-16),
    (-3.0, -0.0040496940948902836, -0.011945647204183927),
    (-0.75, -0.16997051428265115, 0.00077427826076489563),
    (-1e-10, -4.9999999996010579e-11, 0.49999999992021154),
    (0.5, 0.34573123063700655, 0.86749512465616284),
    (2.0, 1.9544997361036416, 1.0852318010781969),
    (6.0, 5.9999999940804741, 1.0000000354687095),
]


def test_gelu_and_its_derivative_against_exact_values(backend):
    layer, (x, out, slope) = GELU(), map(np.array, zip(*GELU_VALUES, strict=True))
    np.testing.assert_allclose(to_numpy(layer.forward(asarray(x))), out, rtol=3e-15)
    dx = to_numpy(layer.backward(asarray(np.ones(len(x)))))
    near_zero = abs(x + 0.75) < 0.1  # the derivative is 0 at -0.7518
    np.testing.assert_allclose(dx, slope, rtol=3e-15, atol=np.where(near_zero, 1e-16, 0.0).max())
    np.testing.assert_allclose(dx[~near_zero], slope[~near_zero], rtol=3e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_in_both_precisions_against_the_error_function(backend, dtype):
    x = np.linspace(-12, 12, 500).astype(dtype)
    layer, wide = GELU(), x.astype("float64")
    cumulative = np.array([math.erfc(-v / math.sqrt(2.0)) / 2.0 for v in wide])
    rtol = 5e-14 if dtype == "float64" else 1e-5  # x²/2 is up to 72, and its rounding error counts in full
    np.testing.assert_allclose(to_numpy(layer.forward(asarray(x))), wide * cumulative, rtol=rtol)
    slope = cumulative + wide * np.exp(-0.5 * wide * wide) / math.sqrt(2.0 * math.pi)
    dx = to_numpy(layer.backward(asarray(np.ones(500), dtype)))
    np.testing.assert_allclose(dx, slope, rtol=rtol, atol=rtol * 0.02)


def test_the_normal_distribution_against_the_error_function(backend):
    """From one end to the other; math.erfc is exact to the last bit or two."""
    x = np.concatenate([np.linspace(-40, 40, 3001), np.linspace(-1e-3, 1e-3, 11)])
    cumulative, density = map(to_numpy, normal(backend.xp, asarray(x)))
    expected = np.array([math.erfc(-v / math.sqrt(2.0)) / 2.0 for v in x])
    assert cumulative[[0, 3000]].tolist() == [0.0, 1.0]
    kept = x > -37.5  # below it, numbers are denormal
    # -v / √2 is rounded, which moves the logarithm of erfc by up to v² times half a bit.
    assert (abs(cumulative - expected) <= (1e-15 + 3e-16 * x * x) * expected)[kept].all()
    np.testing.assert_allclose(cumulative[~kept], expected[~kept], atol=1e-307)
    np.testing.assert_allclose(
        density, np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi), rtol=1e-13, atol=1e-320
    )


def test_the_normal_distribution_in_the_complex_plane(backend):
    """The imaginary part is the derivative, which is the density."""
    x = np.array([-30.0, -5.0, -0.5, -0.0, 0.5, 5.0, 30.0])
    cumulative, density = map(to_numpy, normal(backend.xp, asarray(x + 1e-30j)))
    np.testing.assert_allclose(cumulative.imag / 1e-30, density.real, rtol=3e-14)
    np.testing.assert_allclose(density.imag / 1e-30, -x * density.real, rtol=3e-14, atol=1e-320)
