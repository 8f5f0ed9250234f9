"""Mean squared error: its value, its gradient, targets, and no accuracy."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import check_gradients, train
from backprop.layers import Affine
from backprop.losses import MeanSquaredError
from backprop.networks import Network

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


def test_one_output_takes_a_list_of_values(backend):
    """As (N,) and as (N, 1), never broadcast to (N, N); integers and bools are numbers."""
    y = asarray([[1.0], [2.0], [4.0]], "float32")
    for t in (np.array([0, 2, 1]), np.array([0.0, 2.0, 1.0]), [0, 2, 1], asarray([0, 2, 1]), [[0], [2], [1]]):
        loss = MeanSquaredError()
        value = loss.forward(y, t)
        assert float(value) == pytest.approx(10 / 6) and "float32" in str(value.dtype)
        np.testing.assert_allclose(to_numpy(loss.backward()), [[1 / 3], [0.0], [1.0]], rtol=1e-6)
    assert float(MeanSquaredError().forward(y, [True, False, True])) == pytest.approx((4 + 9) / 6)


def test_values_that_float32_cannot_hold_are_refused(backend):
    with pytest.raises(ValueError, match=r"targets must fit in float32, got 1e\+300; scale it"):
        MeanSquaredError().forward(asarray([[1.0]], "float32"), [1e300])


def test_regression_with_one_output(backend):
    """Targets (N,) and (N, 1) train alike, and the history has what there is."""
    x = np.linspace(-1.0, 1.0, 40)[:, None]
    t, weights = 2.0 * x[:, 0] - 0.5, []
    for targets in (t, t[:, None], t.astype("float32").tolist()):
        net = Network([Affine(1, weight_init_std=0.5)], MeanSquaredError(), 1, 1, rng=0, dtype="float32")
        history = train(net, x, targets, x, targets, iterations=40, batch_size=20, learning_rate=1.0, rng=0)
        assert history.loss[-1] < 1e-6 and history.test_accuracy == [] and float(net.loss(x, targets)) < 1e-6
        weights.append(to_numpy(net.params["W1"]).tobytes())
    assert len(set(weights)) == 1
    check_gradients(net, x, t).assert_ok()


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
