"""Softmax: values, extremes, and the digits of its derivative."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.layers import Softmax
from backprop.losses import SoftmaxCrossEntropy

X = np.random.default_rng(0).normal(size=(3, 2, 4))


@pytest.mark.parametrize("shape", [(24,), (6, 4), (3, 2, 4), (24, 1)])
def test_probabilities_along_the_last_axis(backend, shape):
    x = X.reshape(shape)
    expected = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(to_numpy(Softmax().forward(asarray(x))), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_scores_are_exact(backend, dtype):
    out = Softmax().forward(asarray([[1e30, -1e30, 1e30], [-1e4, 0.0, -1e4]], dtype))
    assert to_numpy(out).tolist() == [[0.5, 0, 0.5], [0, 1, 0]]


def test_where_an_output_is_nearly_1_its_derivative_keeps_its_digits(backend):
    """There dout - Σ dout · out cancels."""
    layer = Softmax()
    small = to_numpy(layer.forward(asarray([[0.0, -30.0]])))[0, 1]
    dx = to_numpy(layer.backward(asarray([[0.3, -0.7]])))
    np.testing.assert_allclose(dx, small * (1 - small) * np.array([[1, -1]]), rtol=1e-14)


def test_with_the_logarithm_behind_it_it_is_the_loss(backend):
    logits, labels, loss, layer = X[0], np.array([1, 3]), SoftmaxCrossEntropy(), Softmax()
    out = to_numpy(layer.forward(asarray(logits)))
    mean = float(loss.forward(asarray(logits), asarray(labels)))
    assert mean == pytest.approx(-np.log(out[[0, 1], labels]).mean(), rel=1e-14)
    dout = np.zeros((2, 4))
    dout[[0, 1], labels] = -0.5 / out[[0, 1], labels]
    dx = to_numpy(layer.backward(asarray(dout)))
    np.testing.assert_allclose(dx, to_numpy(loss.backward()), rtol=1e-13)
