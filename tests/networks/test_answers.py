"""Probabilities and labels of a network: what its loss makes of the scores, on every backend."""

import math
import warnings

import numpy as np
import pytest

from backends import dtype_name, to_numpy
from backprop import Sequential, TwoLayerNet
from backprop.layers import Affine
from backprop.losses import Loss, MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks import Network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2500, 4))  # several pieces


def identity(loss, dtype="float64", size=3):
    """A network whose scores are its samples."""
    return Network([Affine(np.eye(size), np.zeros(size))], loss, size).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_probabilities_sum_to_one_and_their_largest_is_the_label(backend, dtype):
    net = TwoLayerNet(4, 5, 3, weight_init_std=1.0, rng=0, dtype=dtype)
    shares, labels = net.predict_proba(X), net.predict_labels(X)
    assert (dtype_name(shares.dtype), dtype_name(labels.dtype)) == (dtype, "int64")
    shares, labels, logits = to_numpy(shares), to_numpy(labels), to_numpy(net.predict(X))
    exact = np.exp(logits.astype("longdouble"))
    exact /= exact.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, exact.astype(dtype), rtol=8 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(labels, logits.argmax(axis=1))
    assert labels.shape == (2500,) and len(set(labels.tolist())) == 3
    assert net.accuracy(X, to_numpy(net.predict_labels(X))) == 1.0


def test_softmax_of_logits_of_any_size(backend):
    net = identity(SoftmaxCrossEntropy(0.1))
    shares = to_numpy(net.predict_proba([[1e300, -1e300, 0], [-700, -700, -1400]]))
    np.testing.assert_allclose(shares, [[1, 0, 0], [0.5, 0.5, 0.5 * math.exp(-700)]], rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_keeps_its_digits_in_both_tails(backend, dtype):
    z = np.array([[-1e30, -80.0, -2.0], [0.0, 1e-3, 2.0], [30.0, 80.0, 1e30]])
    net = identity(SigmoidBinaryCrossEntropy(), dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shares, labels = net.predict_proba(z), net.predict_labels(z)
    assert (dtype_name(shares.dtype), dtype_name(labels.dtype)) == (dtype, "int64")
    exact = [[1 / (1 + math.exp(-v)) if v > -700 else 0.0 for v in row] for row in z.astype(dtype).tolist()]
    np.testing.assert_allclose(to_numpy(shares), exact, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(to_numpy(labels), z > 0)


def test_a_loss_that_defines_none_is_refused_with_the_cure(backend):
    class Own:
        def forward(self, x, t):
            return ((x - t) ** 2).mean()

        def backward(self, dout=1.0):
            return dout * 0.0

    for loss in (MeanSquaredError(), Own()):
        net, name = identity(loss), type(loss).__name__
        with pytest.raises(TypeError, match=f"^Network.predict_proba: {name} does not .*; use predict$"):
            net.predict_proba([[1.0, 2.0, 3.0]])
        with pytest.raises(TypeError, match=f"^Network.predict_labels: {name} does not .*; use predict$"):
            net.predict_labels([[1.0, 2.0, 3.0]])


def test_a_users_loss_says_what_its_scores_mean(backend):
    class Hinge(Loss):
        def compute(self, xp, y, t):
            return xp.sum(xp.abs(y - t), axis=1), (y - t,)

        def derive(self, xp, dout, difference):
            return dout * xp.sign(difference)

        def probabilities(self, xp, y):
            return 0.5 * (y + 1.0)

        def decisions(self, xp, y):
            return y > 0.0

    net = identity(Hinge())
    np.testing.assert_array_equal(to_numpy(net.predict_proba([[-1.0, 0.0, 1.0]])), [[0.0, 0.5, 1.0]])
    np.testing.assert_array_equal(to_numpy(net.predict_labels([[-1.0, 0.0, 1.0]])), [[0, 0, 1]])


def test_an_overridden_predict_is_used(backend):
    class Turned(Sequential):
        def predict(self, x):
            return -super().predict(x)

    net = Turned([Affine(3, weight_init_std=1.0)], 4, rng=0)
    plain = Network.predict(net, X)
    np.testing.assert_array_equal(to_numpy(net.predict_labels(X)), to_numpy(plain).argmin(axis=1))
    assert not np.array_equal(to_numpy(net.predict_proba(X)), to_numpy(net.backend.asarray(plain)))


@pytest.mark.parametrize("answer", [[1, 2], np.zeros(2), np.zeros((2, 4)), None])
def test_an_overridden_predict_that_returns_no_scores_is_named(answer):
    class Odd(TwoLayerNet):
        def predict(self, x):
            return answer

    with pytest.raises(ValueError, match=r"^Odd.predict must return scores of shape \(2, 3\), got "):
        Odd(4, 5, 3).predict_labels(X[:2])


def test_no_samples_have_no_answers(backend):
    net = TwoLayerNet(4, 5, 3, rng=0)
    assert (net.predict_proba(X[:0]).shape, net.predict_labels(X[:0]).shape) == ((0, 3), (0,))


def test_complex_samples_are_refused():
    with pytest.raises(TypeError, match="^TwoLayerNet.predict_labels: x must be real, got complex128"):
        TwoLayerNet(4, 5, 3).predict_labels(X[:2] + 0j)


def test_an_answer_is_a_new_array(backend):
    net = TwoLayerNet(4, 5, 3, rng=0)
    first = net.predict_proba(X[:5])
    kept = to_numpy(first).copy()
    net.predict_proba(X[5:10])
    np.testing.assert_array_equal(to_numpy(first), kept)
