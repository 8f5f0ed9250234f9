"""Mean squared error: its value, its gradient, targets, and no accuracy."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.losses import MeanSquaredError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 3), (6, 1)])
def test_values_and_gradient(backend, shape):
    y, t = RNG.normal(size=(2, *shape))
    loss = MeanSquaredError()
    assert float(loss.forward(asarray(y), t)) == pytest.approx(0.5 * ((y - t) ** 2).sum() / len(y), rel=1e-14)
    np.testing.assert_allclose(to_numpy(loss.backward(3.0)), 3.0 * (y - t) / len(y), rtol=1e-14)


def test_targets_take_the_dtype_of_the_outputs(backend):
    loss, y = MeanSquaredError(), asarray(np.ones((2, 3)), "float32")
    for t in (np.zeros((2, 3)), np.zeros((2, 3)).tolist(), asarray(np.zeros((2, 3)))):
        assert "float32" in str(loss.forward(y, t).dtype)
        assert "float32" in str(loss.backward().dtype)


@pytest.mark.parametrize(
    ("t", "error", "words"),
    [
        (np.zeros((2, 4)), ValueError, r"targets must have the shape of the outputs, \(2, 3\), got \(2, 4\)"),
        (np.zeros(2), ValueError, "targets must have the shape of the outputs"),
        ([["a"] * 3] * 2, TypeError, "targets must hold numbers"),
        (np.full((2, 3), np.nan), ValueError, r"targets must be finite, got nan at \[0, 0\]"),
    ],
)
def test_wrong_targets_are_refused(backend, t, error, words):
    with pytest.raises(error, match=rf"MeanSquaredError.forward: {words}"):
        MeanSquaredError().forward(asarray(np.ones((2, 3))), t)
