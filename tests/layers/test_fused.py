"""Affine and its neighbour as one layer give what the two give one after the other."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import check_gradients
from backprop.gradients import Gradients
from backprop.layers import Affine, ReLU, SoftmaxCrossEntropy
from backprop.layers.fused import AffineReLU, AffineSoftmaxCrossEntropy

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("needs_dx", [True, False])
@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 3), (1, 6), (300, 6)])
def test_affine_and_relu(backend, shape, needs_dx):
    x, dout = asarray(RNG.normal(size=shape)), asarray(RNG.normal(size=(shape[0], 5)))
    affine, relu = Affine.create(6, 5, rng=0, dtype="float64"), ReLU()
    fused = AffineReLU(Affine(**affine.params))
    out = fused.forward(x)
    np.testing.assert_array_equal(to_numpy(out), to_numpy(relu.forward(affine.forward(x))))
    dx, expected = fused.backward(dout, needs_dx), affine.backward(relu.backward(dout), needs_dx)
    assert (dx is None) == (not needs_dx)
    for mine, theirs in [(dx, expected)] * needs_dx + [(fused.grads[k], affine.grads[k]) for k in "Wb"]:
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(to_numpy(mine), to_numpy(theirs), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("dout", [1.0, 0.1])
@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 3), (1, 6), (300, 6)])
def test_affine_and_loss(backend, shape, dout):
    x, labels = asarray(RNG.normal(size=shape)), asarray(RNG.integers(5, size=shape[0]))
    affine = Affine.create(6, 5, rng=0, weight_init_std=1.0, dtype="float64")
    loss, fused = SoftmaxCrossEntropy(), AffineSoftmaxCrossEntropy(Affine(**affine.params))
    logits = affine.forward(x)
    pairs = [
        (fused.logits(x), logits),
        (fused.losses(x, labels), loss.losses(logits, labels)),
        (fused.backward(dout), affine.backward(loss.backward(dout))),
        *((fused.grads[name], affine.grads[name]) for name in "Wb"),
        (fused.losses(x, labels, training=False), loss.losses(logits, labels, training=False)),
    ]
    for mine, theirs in pairs:
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(to_numpy(mine), to_numpy(theirs), rtol=1e-12, atol=1e-14)


def test_blocks_of_rows_change_nothing(monkeypatch):
    """Arrays larger than a block: the same numbers as in one piece."""
    x, dout = RNG.normal(size=(70, 6)), RNG.normal(size=(70, 5))
    affine = Affine.create(6, 5, rng=0, dtype="float64", backend="numpy")

    def run():
        layer = AffineReLU(affine)
        return [layer.forward(x), layer.backward(dout), layer.grads["W"].copy(), layer.grads["b"].copy()]

    whole = run()
    monkeypatch.setattr("backends.numpy_backend.NumpyBackend.chunk_bytes", 7 * 5 * 8 + 1)
    for mine, expected in zip(run(), whole, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-14)


def test_its_gradient(backend):
    layer = AffineReLU(Affine.create(6, 5, rng=0, weight_init_std=1.0))
    check_gradients(layer, asarray(RNG.normal(size=(4, 6))), mode="full").assert_ok()


def test_wrong_shapes_and_dtypes_are_told_of(backend):
    layer = AffineReLU(Affine.create(6, 5, rng=0, dtype="float32"))
    with pytest.raises(ValueError, match="6 values a sample"):
        layer.forward(asarray(np.ones((4, 7)), "float32"))
    with pytest.raises(TypeError, match="one dtype"):
        layer.forward(asarray(np.ones((4, 6)), "float64"))
    layer.forward(asarray(np.ones((4, 6)), "float32"))
    with pytest.raises(ValueError, match="dout must have the shape"):
        layer.backward(asarray(np.ones((4, 6)), "float32"))
    layer.backward(asarray(np.ones((4, 5)), "float32"))
    with pytest.raises(TypeError, match="one dtype"):
        layer.forward(asarray(np.ones((4, 6)), "float64"))


def test_a_loss_tells_of_wrong_samples_and_of_a_backward_without_a_forward(backend):
    loss, labels = AffineSoftmaxCrossEntropy(Affine.create(6, 5, rng=0, dtype="float32")), asarray([0, 1])
    with pytest.raises(ValueError, match="6 values a sample"):
        loss.losses(asarray(np.ones((2, 7)), "float32"), labels)
    with pytest.raises(TypeError, match="one dtype"):
        loss.losses(asarray(np.ones((2, 6)), "float64"), labels)
    loss.losses(asarray(np.ones((2, 6)), "float32"), labels, training=False)
    with pytest.raises(RuntimeError, match="training=False"):
        loss.backward()


def test_dout_is_written_over_in_a_loop_alone(backend):
    """There it is the array of the layer behind; everywhere else it is the caller's."""
    grads = Gradients({"W1": (6, 5), "b1": (5,)}, backend.zeros((35,), "float64"))
    layer = AffineReLU(Affine.create(6, 5, rng=0, weight_init_std=1.0, dtype="float64"))
    x, dout = asarray(RNG.normal(size=(4, 6))), asarray(RNG.normal(size=(4, 5)))
    before, out = to_numpy(dout).copy(), to_numpy(layer.forward(x))
    expected = to_numpy(layer.backward(dout))
    np.testing.assert_array_equal(to_numpy(dout), before)
    in_loop = layer.working_copy(grads)
    in_loop.forward(x)
    np.testing.assert_allclose(to_numpy(in_loop.backward(dout)), expected, rtol=1e-14)
    np.testing.assert_array_equal(to_numpy(dout), before * (out > 0))
