"""Sigmoid with loss: exactness in both tails, targets, what is right."""

from decimal import Decimal, getcontext

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import check_gradients, train
from backprop.layers import Affine, ReLU
from backprop.losses import SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks import Network

RNG = np.random.default_rng(0)
Z = np.array([[0.5, -1.25, 2.0, 0.0], [3.0, 0.25, -0.5, 1.5], [-2.0, 4.0, 0.75, -1.0]])
T = np.array([[1.0, 0.0, 1.0, 0.0], [0.25, 1.0, 0.0, 0.5], [0.0, 0.0, 1.0, 1.0]])


def test_values_and_gradient_are_those_of_pytorch(backend):
    """binary_cross_entropy_with_logits(Z, T, reduction="sum") / 3 of PyTorch 2.13 in float64."""
    gradient = [
        [-0.12584688959938178, 0.07423337960843628, -0.03973430734070589, 0.16666666666666666],
        [0.23419137560747777, -0.14594116637140064, 0.12584688959938178, 0.10585815873121454],
        [0.03973430734070585, 0.3273379300126361, -0.10694043360820234, -0.2436861928766683],
    ]
    for dtype, rounding in (("float64", 1e-15), ("float32", 3e-7)):
        loss = SigmoidBinaryCrossEntropy()
        assert float(loss.forward(asarray(Z, dtype), T)) == pytest.approx(3.897102974445916, rel=rounding)
        np.testing.assert_allclose(to_numpy(loss.backward()), gradient, rtol=0, atol=rounding)


@pytest.mark.parametrize("z", [0.0, -0.0, 1e-8, 1.0, -1.0, 30.0, -30.0, 60.0, -700.0, 700.0, 1e4, -1e4])
@pytest.mark.parametrize("t", [0.0, 1.0, 0.5, 1e-12, 1.0 - 2.0**-50])
def test_every_digit_in_both_tails(backend, z, t):
    """Against decimal arithmetic with 400 digits."""
    getcontext().prec = 400
    e, one = Decimal(z).copy_abs().copy_negate().exp(), Decimal(1)
    sigmoid = one / (one + e) if z > 0 else e / (one + e)
    exact = max(Decimal(z), Decimal(0)) - Decimal(z) * Decimal(t) + (one + e).ln()
    loss = SigmoidBinaryCrossEntropy()
    got = float(loss.forward(asarray([[z]]), [[t]]))
    assert got == pytest.approx(float(exact), rel=4e-16, abs=1e-320)
    dz = float(to_numpy(loss.backward())[0, 0])
    if t in (0.0, 1.0):
        assert dz == pytest.approx(float(sigmoid - Decimal(t)), rel=4e-16, abs=1e-320)
    else:  # sigmoid(z) and t may be close: there the rounding of either of them remains
        assert dz == pytest.approx(
            float(sigmoid - Decimal(t)), rel=4e-16, abs=2e-16 * min(t, 1.0 - t) + 1e-28
        )


def test_gradients_by_the_complex_step(backend):
    for by, shape in ((0.0, (5, 3)), (1.0, (3, 2, 2)), (1.0, (5,)), (100.0, (4, 1))):
        z, t = asarray(by * RNG.normal(size=shape)), RNG.random(shape)
        check_gradients(SigmoidBinaryCrossEntropy(), z, t if by < 100.0 else t < 0.5).assert_ok()


def test_two_classes_of_softmax_are_one_of_sigmoid(backend):
    z, labels = 5 * RNG.normal(size=(20, 1)), RNG.integers(2, size=20)
    both = asarray(np.concatenate([np.zeros((20, 1)), z], axis=1))
    expected = float(SoftmaxCrossEntropy().forward(both, labels))
    assert float(SigmoidBinaryCrossEntropy().forward(asarray(z), labels)) == pytest.approx(
        expected, rel=1e-14
    )


def test_kinds_of_targets(backend):
    yes = np.array([1, 0, 1])
    for t in (yes, yes.astype(bool), yes.astype("uint8"), yes.tolist(), yes.astype("float32"), asarray(yes)):
        for shaped in (t, np.reshape(to_numpy(t), (3, 1))):
            loss = SigmoidBinaryCrossEntropy()
            value = loss.forward(asarray([[2.0], [2.0], [-2.0]], "float32"), shaped)
            assert "float32" in str(value.dtype) and loss.backward().shape == (3, 1)
            expected = (np.log1p(np.exp(-2.0)) + 2 * np.log1p(np.exp(2.0))) / 3
            assert float(value) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("t", "error", "words"),
    [
        (
            T - 0.5,
            ValueError,
            r"targets must lie in 0..1, got -0.5 at \[0, 1\]; for measured values use Mean",
        ),
        (2 * T - 1, ValueError, r"targets must lie in 0..1, got -1 at"),
        (np.sign(T - 0.5) + (T == 0.5), ValueError, r"got -1 at \[0, 1\]; for -1 and 1 pass \(t \+ 1\) / 2"),
        (3 * (T > 0.5).astype(int), ValueError, r"got 3 at \[0, 0\]; .* use SoftmaxCrossEntropy"),
        ((T * np.nan).tolist(), ValueError, r"targets must be finite, got nan at \[0, 0\]"),
        (T + 0j, TypeError, "targets must be real, got .*complex128"),
        (T[:2], ValueError, r"targets must have the shape of the outputs, \(3, 4\), got \(2, 4\)"),
        ([0, 3, 1], ValueError, r"targets must have the shape of the outputs, \(3, 4\), got \(3,\)"),
        ([["a"] * 4] * 3, TypeError, "targets must hold numbers"),
    ],
)
def test_wrong_targets_are_refused(backend, t, error, words):
    """And so are wrong arrays of the backend; their values only on the host."""
    of_values = "targets must have" not in words and error is ValueError
    also_as_array = not isinstance(t, list) and (backend.name != "cupy" or not of_values)
    for given in [t, asarray(t)] if also_as_array else [t]:
        with pytest.raises(error, match=f"^SigmoidBinaryCrossEntropy.forward: .*{words}") as caught:
            SigmoidBinaryCrossEntropy().forward(asarray(Z), given)
        assert len(str(caught.value)) <= 200


def test_what_is_right(backend):
    """Every output on its side of 0. NaN is on no side."""
    z = np.array([[1.0, -1.0], [1.0, 1.0], [0.0, 1.0], [0.1, 1.0], [np.nan, -1.0]])
    t = np.array([[0.6, 0.5], [1.0, 0.0], [0.0, 0.9], [0.5, 1.0], [0.0, 0.0]])
    right = SigmoidBinaryCrossEntropy().correct(backend.xp, asarray(z), asarray(t))
    assert to_numpy(right).tolist() == [True, False, True, False, False]


def test_a_network_with_one_output_and_one_with_several():
    x = RNG.normal(size=(40, 3))
    for t, outputs in ((x[:, 0] > 0, 1), (x > 0, 3)):
        layers = [Affine(8, weight_init_std=0.5), ReLU(), Affine(outputs, weight_init_std=0.5)]
        net = Network(layers, SigmoidBinaryCrossEntropy(), 3, outputs, rng=0, dtype="float64")
        check_gradients(net, x, t).assert_ok()
        before = float(net.loss(x, t))
        history = train(net, x, t, iterations=100, batch_size=20, learning_rate=0.5, rng=0)
        assert history.train_accuracy[-1] == net.accuracy(x, t) > 0.85
        assert float(net.loss(x, t)) < before / 2
