"""The numerical gradient of any function: values, the array it perturbs, what it refuses."""

import numpy as np
import pytest

from backends import asarray, dtype_name, to_numpy
from backprop import numerical_gradient
from backprop.numerical.gradient import NotAnalytic, value_at

X = np.array([[0.3, -1.2], [2.0, 0.0], [5.0, -0.0]])


def inner(x):
    """3 x_00 + x_11 exp(x_10), written so that every backend has it."""
    entry = [x[i, j] for i in range(3) for j in range(2)]
    return 3.0 * entry[0] + entry[3] * entry[2] * entry[2] + entry[4] * entry[5]


GRADIENT = np.array([[3.0, 0.0], [0.0, 4.0], [0.0, 5.0]])


@pytest.mark.parametrize(
    ("method", "dtype", "atol"), [("central", "float64", 1e-8), ("complex", "complex128", 1e-15)]
)
def test_values_and_that_x_is_restored_bit_for_bit(backend, method, dtype, atol):
    x = asarray(X, dtype)
    before = to_numpy(x).tobytes()
    gradient = numerical_gradient(inner, x, method=method)
    np.testing.assert_allclose(to_numpy(gradient), GRADIENT, atol=atol)
    assert dtype_name(gradient.dtype) == "float64"
    assert to_numpy(x).tobytes() == before


@pytest.mark.parametrize(("method", "dtype"), [("central", "float64"), ("complex", "complex128")])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_x_is_restored_when_f_raises(backend, method, dtype, error):
    x, calls = asarray(X, dtype), []
    before = to_numpy(x).tobytes()

    def f(x):
        calls.append(1)
        if len(calls) == 4:
            raise error
        return 0.0

    with pytest.raises(error):
        numerical_gradient(f, x, method=method)
    assert to_numpy(x).tobytes() == before


def test_the_value_a_step_away_along_a_direction(backend):
    direction = np.arange(6.0).reshape(3, 2)
    for step, dtype in ((1e-30j, "complex128"), (1e-6, "float64")):
        x = asarray(X, dtype)
        for region in (..., (slice(1, 2), slice(0, 2))):
            part = direction[region]
            there, back = (
                value_at(lambda x=x: inner(x), x, asarray(part), by, region) for by in (step, -step)
            )
            slope = (there - back) / (2.0 * step)
            assert slope.real == pytest.approx((GRADIENT[region] * part).sum(), rel=1e-8)
            np.testing.assert_array_equal(to_numpy(x), X)


def test_an_array_that_is_not_contiguous():
    x = np.arange(6.0).reshape(2, 3).T
    np.testing.assert_allclose(numerical_gradient(lambda x: (x * x).sum(), x), 2 * x, atol=1e-8)


def test_large_values_are_moved_by_a_step_of_their_size():
    gradient = numerical_gradient(lambda x: (x * x).sum(), np.array([1e12]))
    np.testing.assert_allclose(gradient, [2e12], rtol=1e-6)


def test_an_empty_array_has_no_gradient(backend):
    with pytest.raises(ValueError, match=r"x must hold at least one number, got shape \(0, 3\)"):
        numerical_gradient(lambda x: 0.0, asarray(np.ones((0, 3))))


def test_a_real_answer_to_a_complex_question_has_a_name():
    with pytest.raises(NotAnalytic):
        numerical_gradient(lambda x: abs(x).sum(), X + 0j, method="complex")


@pytest.mark.parametrize(
    ("x", "f", "options", "error", "words"),
    [
        (
            X,
            inner,
            {"method": "forward"},
            ValueError,
            "method must be one of central, complex, got 'forward'",
        ),
        (
            X.astype("float32"),
            inner,
            {},
            TypeError,
            'method "central" needs x in float64, got float32; convert it',
        ),
        (
            X,
            inner,
            {"method": "complex"},
            TypeError,
            'method "complex" needs x in complex128, got float64; convert',
        ),
        ([1.0], inner, {}, TypeError, "x must be an array of a known library, got list"),
        (X, lambda x: x, {}, TypeError, r"f must return one number, got an array of shape \(3, 2\)"),
        (X, lambda x: (1.0, 2.0), {}, TypeError, r"f must return one number, got \(1.0, 2.0\)"),
        (
            X + 0j,
            lambda x: abs(x).sum(),
            {"method": "complex"},
            TypeError,
            "f is not analytic",
        ),
        (
            X + 0j,
            lambda x: np.complex64(1),
            {"method": "complex"},
            TypeError,
            "in double precision, got complex64",
        ),
        (X, lambda x: "1", {}, TypeError, "must return one number, got '1'"),
        (X, lambda x: np.complex128(1j), {}, TypeError, "one real number, got complex128"),
        (X, lambda x: np.float32(1.0), {}, TypeError, "in double precision, got float32"),
    ],
)
def test_wrong_calls(x, f, options, error, words):
    with pytest.raises(error, match=words):
        numerical_gradient(f, x, **options)
