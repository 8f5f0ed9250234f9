"""Input that a network refuses: one clear error each, and nothing changed."""

import numpy as np
import pytest

from backends import Backend, asarray, use_backend
from backends.testing import backend_or_skip
from backprop import TwoLayerNet

X, T = np.ones((3, 8)), [0, 1, 2]


@pytest.fixture
def net(backend):
    return TwoLayerNet(8, 5, 3, rng=0)


@pytest.mark.parametrize("method", ["loss", "accuracy", "gradient", "numerical_gradient"])
@pytest.mark.parametrize(
    ("x", "t", "error", "words"),
    [
        (
            np.ones((3, 9)),
            T,
            ValueError,
            r"x must have shape \(N, …\) with 8 values per sample, got \(3, 9\)",
        ),
        (np.ones(8), T, ValueError, r"x must have shape .* got \(8,\)"),
        (1.0, T, ValueError, r"x must have shape .* got \(\)"),
        (np.ones((0, 8)), [], ValueError, r"x must hold at least one sample, got \(0, 8\)"),
        ([["a"] * 8] * 3, T, TypeError, "x must hold numbers"),
        ([[1.0], [1.0, 2.0]], T, TypeError, "x must be an array of numbers, got list"),
        (None, T, TypeError, "x must hold numbers, got object from NoneType"),
        (X, [0, 1], ValueError, r"labels must have shape \(3,\) or one-hot \(3, 3\), got \(2,\)"),
        (X, [0, 1, 3], ValueError, r"labels must lie in 0\.\.2, got 0\.\.3: 3 at \[2\]"),
        (X, [0, -1, 3], ValueError, r"labels must lie in 0\.\.2, got -1\.\.3: -1 at \[1\]"),
        (X, np.array([0, 1, 2**63 + 1], "uint64"), ValueError, r"labels must lie in 0\.\.2, got 0\.\.9"),
        (
            X,
            [[0], [1], [2]],
            ValueError,
            r"labels must have shape .* got \(3, 1\); use numpy.ravel\(labels\)",
        ),
        (np.where(np.eye(3, 8), np.nan, X), T, ValueError, r"x must be finite, got nan at \[0, 0\]"),
        (np.where(np.eye(3, 8, 2), -np.inf, X), T, ValueError, r"x must be finite, got -inf at \[0, 2\]"),
        (X, [0.0, 1.0, 2.0], TypeError, "labels must be integers, got float64"),
    ],
)
def test_wrong_data(net, method, x, t, error, words):
    with pytest.raises(error, match=rf"TwoLayerNet\.{method}: {words}"):
        getattr(net, method)(x, t)


@pytest.mark.parametrize("method", ["loss", "accuracy", "gradient"])
def test_samples_that_float32_cannot_hold(net, method):
    words = rf"TwoLayerNet\.{method}: x must fit in float32, got 1e\+300; scale it, or make the network with"
    with pytest.raises(ValueError, match=words):
        getattr(net, method)(X * 1e300, T)


def test_wrong_samples_for_predict(net):
    with pytest.raises(ValueError, match=r"TwoLayerNet\.predict: x must have shape"):
        net.predict(np.ones((3, 9)))


def test_an_array_of_another_device_is_refused_by_name_with_the_cure():
    net = TwoLayerNet(8, 5, 3, backend="numpy")
    with use_backend(backend_or_skip("array_api_strict")):
        foreign = asarray(X)
    with pytest.raises(
        TypeError, match=r"x must be on backend numpy, got an array of array_api_strict; move"
    ):
        net.predict(foreign)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"input_size": 0}, ValueError, "TwoLayerNet: input_size must be at least 1, got 0"),
        ({"hidden_size": 2.5}, TypeError, "TwoLayerNet: hidden_size must be an integer, got 2.5"),
        ({"dtype": "float16"}, ValueError, "dtype must be float32 or float64, got 'float16'"),
        ({"dtype": "int32"}, ValueError, "dtype must be float32 or float64"),
        ({"dtype": "nonsense"}, ValueError, "dtype must be float32 or float64, got 'nonsense'"),
        ({"backend": "cupi"}, ValueError, "backend must be one of .*, got 'cupi'"),
        ({"rng": -1}, ValueError, "rng must be a non-negative integer or a numpy.random.Generator, got -1"),
        ({"rng": "a"}, TypeError, "rng must be .* got 'a'"),
        ({"weight_init_std": "he2"}, ValueError, "weight_init_std must be a number, .*, got 'he2'"),
        ({"weight_init_std": None}, TypeError, "weight_init_std must be a number, a function, or"),
        ({"weight_init_std": float("nan")}, ValueError, "weight_init_std must be a finite number"),
        ({"backend": Backend("mine", np, np.ndarray)}, ValueError, "<backend mine> is not registered"),
    ],
)
def test_wrong_settings(options, error, words):
    with pytest.raises(error, match=words):
        TwoLayerNet(**options)


def test_wrong_method(net):
    with pytest.raises(ValueError, match="method must be one of central, complex, got 'forward'"):
        net.numerical_gradient(X, T, method="forward")


def test_wrong_dtype_of_a_copy(net):
    with pytest.raises(ValueError, match="float32 or float64, got 'complex128'"):
        net.astype("complex128")
