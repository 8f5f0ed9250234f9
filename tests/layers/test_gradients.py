"""Every layer's backward against its forward's derivative, on every backend: provably complete."""

import numpy as np
import pytest

from backends import asarray
from backprop import check_gradients, layers
from backprop.layers import ReLU

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 2, 3))
LOGITS = RNG.normal(size=(7, 5))
LABELS = RNG.integers(0, 5, size=7)
ONE_HOT = np.eye(5)[LABELS]

CASES = {
    "Affine": [lambda: (layers.Affine.create(6, 4, weight_init_std=1.0, rng=1), X)],
    "ReLU": [lambda: (layers.ReLU(), X)],
    "Sigmoid": [lambda: (layers.Sigmoid(), X), lambda: (layers.Sigmoid(), 20.0 * X)],
    "SoftmaxCrossEntropy": [
        lambda: (layers.SoftmaxCrossEntropy(), LOGITS, LABELS),
        lambda: (layers.SoftmaxCrossEntropy(), 100.0 * LOGITS, ONE_HOT),
    ],
}


def test_every_layer_has_a_case():
    assert set(CASES) == set(layers.__all__)


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("name", CASES)
def test_backward_is_the_derivative_of_forward(backend, name, method, mode):
    for case in CASES[name]:
        layer, x, *labels = case()
        check_gradients(layer, asarray(x), *labels, method=method, mode=mode).assert_ok()


@pytest.mark.parametrize("name", CASES)
def test_complex_step_agrees_to_rounding(backend, name):
    for case in CASES[name]:
        layer, x, *labels = case()
        for array in check_gradients(layer, asarray(x), *labels, mode="full").arrays:
            assert array.max_difference <= 1e-13 * max(1.0, abs(array.numerical))


def test_a_wrong_backward_is_found_with_its_place(backend):
    class Doubled(ReLU):
        def backward(self, dout):
            return 2.0 * super().backward(dout)

    for mode in ("fast", "full"):
        report = check_gradients(Doubled(), asarray(X), mode=mode)
        assert not report.ok
        with pytest.raises(AssertionError, match="WRONG"):
            report.assert_ok()
    assert report.arrays[0].backward == pytest.approx(2.0 * report.arrays[0].numerical)
    assert f"x{report.arrays[0].index}: backward" in str(report)
