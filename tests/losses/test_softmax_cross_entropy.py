"""Softmax with loss: exactness, both kinds of labels, what it refuses."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.layers import SoftmaxCrossEntropy

RNG = np.random.default_rng(0)
LOGITS, LABELS = RNG.normal(size=(6, 4)), np.array([0, 3, 2, 2, 1, 0])


def reference(z, labels):
    softmax = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    dz = softmax.copy()
    dz[rows, labels] -= 1
    return -np.log(softmax[rows, labels]).mean(), dz / len(labels)


def test_values_and_gradient(backend):
    loss = SoftmaxCrossEntropy()
    expected, dz = reference(LOGITS, LABELS)
    assert float(loss.forward(asarray(LOGITS), LABELS)) == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(to_numpy(loss.backward()), dz, rtol=1e-13, atol=1e-17)


def test_the_loss_has_no_ceiling_and_no_epsilon(backend):
    loss = SoftmaxCrossEntropy()
    assert float(loss.forward(asarray([[0.0, 1000.0]]), [0])) == 1000.0
    np.testing.assert_array_equal(to_numpy(loss.backward()), [[-1.0, 1.0]])
    assert float(loss.forward(asarray([[0.0, -40.0]]), [0])) == pytest.approx(4.248e-18, abs=1e-17)


def test_one_hot_labels_are_the_same(backend):
    for labels in (
        LABELS,
        LABELS.tolist(),
        LABELS.astype("uint8"),
        asarray(LABELS),
        np.eye(4)[LABELS],
        np.eye(4, dtype=bool)[LABELS],
        asarray(np.eye(4, dtype="float32")[LABELS]),
    ):
        loss = SoftmaxCrossEntropy()
        assert float(loss.forward(asarray(LOGITS), labels)) == pytest.approx(reference(LOGITS, LABELS)[0])


def test_many_labels_in_few_bits(backend):
    z, labels = RNG.normal(size=(300, 10)), RNG.integers(0, 10, 300).astype("uint8")
    loss = SoftmaxCrossEntropy()
    assert float(loss.forward(asarray(z), labels)) == pytest.approx(reference(z, labels)[0])
    np.testing.assert_allclose(to_numpy(loss.backward()), reference(z, labels)[1], rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        ([0, 3, 2, 2, 1, 4], ValueError, r"labels must lie in 0\.\.3, got 0\.\.4"),
        ([0, 3, 2, 2, 1, -1], ValueError, r"labels must lie in 0\.\.3, got -1\.\.3"),
        ([0, 1], ValueError, r"labels must have shape \(6,\) or one-hot \(6, 4\), got \(2,\)"),
        (np.eye(5)[LABELS], ValueError, r"labels must have shape \(6,\) or one-hot \(6, 4\), got \(6, 5\)"),
        (np.ones((6, 4), bool), ValueError, "every row of one-hot labels must hold a single 1"),
        (np.zeros((6, 4), int), ValueError, "every row of one-hot labels must hold a single 1"),
        (np.eye(4)[LABELS] + 0j, TypeError, "labels must be real, got complex128"),
        (LABELS.astype(float), TypeError, "labels must be integers, got float64"),
        (["a"] * 6, TypeError, "labels must hold numbers"),
    ],
)
def test_wrong_labels_are_refused(backend, labels, error, words):
    with pytest.raises(error, match=rf"SoftmaxCrossEntropy.forward: {words}"):
        SoftmaxCrossEntropy().forward(asarray(LOGITS), labels)


@pytest.mark.parametrize("shape", [(4,), (0, 4), (4, 0), (2, 2, 2)])
def test_wrong_logits_are_refused(backend, shape):
    with pytest.raises(ValueError, match=r"logits must have shape \(N, C\)"):
        SoftmaxCrossEntropy().forward(asarray(np.ones(shape)), [0])


def test_dout_may_be_a_number_or_a_0d_array(backend):
    loss = SoftmaxCrossEntropy()
    expected = 3.0 * reference(LOGITS, LABELS)[1]
    for dout in (3, 3.0, np.float64(3.0), asarray(3.0)):
        loss.forward(asarray(LOGITS), LABELS)
        np.testing.assert_allclose(to_numpy(loss.backward(dout)), expected, rtol=1e-12, atol=1e-17)
