"""A right layer with float32 inside passes as that, a wrong one at no seed; rounding is never a kink."""

import numpy as np
import pytest
from right_layers import X
from single_layers import (
    SINGLE,
    SingleDout,
    SingleGradient,
    SingleLoss,
    SingleRectifier,
    SingleRNN,
    SingleTanh,
    SingleTimes,
)

from backprop import check_gradients

METHODS = ("complex", "central")
MODES = ("fast", "full")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SINGLE)
def test_a_right_layer_passes_and_says_so(name, method, mode):
    report = check_gradients(*SINGLE[name](), method=method, mode=mode)
    report.assert_ok()
    assert {array.verdict for array in report.arrays} == {"ok to single precision"}
    for array in report.arrays:
        assert array.max_difference <= array.limit <= 3e-3 * array.size
        assert "single precision only" in array.why or "float32" in array.why
    assert "single precision" in str(report) and max(map(len, str(report).splitlines())) <= 80


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("layer", "name"), [(SingleGradient(), "x"), (SingleDout(), "W")])
def test_a_gradient_that_is_rounded_is_told_from_a_forward_that_is(layer, name, mode):
    report = check_gradients(layer, X, mode=mode)
    report.assert_ok()
    verdicts = {array.name: array.verdict for array in report.arrays}
    assert verdicts.pop(name) == "ok to single precision" and set(verdicts.values()) <= {"ok"}


def of_seed(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(
    ("layer", "seeds"),
    [
        (SingleTanh, range(30)),
        (SingleTimes, range(60)),
        pytest.param(SingleTanh, range(30, 300), marks=pytest.mark.slow),
        pytest.param(SingleTimes, range(60, 300), marks=pytest.mark.slow),
    ],
)
def test_of_a_single_number_a_right_layer_passes_at_every_seed_and_one_off_by_1_percent_at_none(layer, seeds):
    for factor in (1.0, 1.01):
        passed = sum(check_gradients(layer(factor), of_seed(seed, 1)).ok for seed in seeds)
        assert passed == (len(seeds) if factor == 1.0 else 0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layer", [SingleTanh, SingleTimes, SingleRectifier, SingleLoss, SingleRNN])
def test_an_error_of_1_percent_passes_at_no_seed(layer, mode):
    for seed in range(4 if layer is SingleRNN else 8):
        shape = (2, 4, 3) if layer is SingleRNN else (3, 4)
        labels = [np.arange(3)] if layer is SingleLoss else []
        report = check_gradients(layer(1.01), of_seed(seed, *shape), *labels, mode=mode, rng=seed)
        assert {array.name for array in report.arrays if not array.ok} == {"x"}
        check_gradients(layer(), of_seed(seed, *shape), *labels, mode=mode, rng=seed).assert_ok()


@pytest.mark.parametrize("mode", MODES)
def test_a_kink_is_still_a_kink(mode):
    x = np.array([[0.0, 1.0, -1.0], [2.0, 0.0, 1e-5]])
    report = check_gradients(SingleRectifier(), x, mode=mode)
    report.assert_ok()
    assert report.arrays[0].verdict == "kink"
    assert not check_gradients(SingleRectifier(1.01), x, mode=mode).ok


def test_what_single_precision_cannot_show_is_not_ok():
    class Hidden(SingleTanh):
        """A small term that the rounding of a large one hides."""

        def forward(self, x):
            super().forward(x)
            return (1e4 + 1e-3 * x).astype("f")

        def backward(self, dout):
            return 1e-3 * dout

    report = check_gradients(Hidden(), X)
    assert not report.ok
    assert [array.verdict for array in report.arrays] == ["cannot tell"]
    assert "make it compute in float64" in " ".join(str(report).split())


@pytest.mark.parametrize(
    ("mode", "seeds"),
    [("fast", range(3)), ("full", range(1)), pytest.param("full", range(1, 3), marks=pytest.mark.slow)],
)
def test_many_kinks_near_the_point_are_no_alarm(mode, seeds):
    """Some of 512 entries lie so near 0 that the wide step of single precision crosses it."""
    for seed in seeds:
        report = check_gradients(SingleRectifier(), of_seed(seed, 8, 64), mode=mode, rng=seed)
        verdicts = {array.verdict for array in report.arrays}
        assert verdicts <= {"ok to single precision", "kink", "cannot tell"}
        assert mode == "full" or report.ok
        assert not check_gradients(SingleRectifier(1.01), of_seed(seed, 8, 64), mode=mode, rng=seed).ok


def test_a_saturated_layer_is_not_called_wrong():
    """1 - y² is all rounding if y is nearly 1."""
    for seed in range(3):
        report = check_gradients(SingleTanh(), 30.0 * of_seed(seed, 2, 3), rng=seed)
        assert {array.verdict for array in report.arrays} <= {"ok to single precision", "zero", "cannot tell"}
