"""Layers without arrays: the check builds a copy from the shape of x, and the layer stays as it is."""

import numpy as np
import pytest

from backends import asarray
from backprop import check_gradients
from backprop.layers import Affine, BatchNorm, Dropout, LayerNorm

X = np.random.default_rng(0).normal(size=(3, 2, 2))


@pytest.mark.parametrize("layer", [Affine(4), BatchNorm(), LayerNorm(), Dropout(0.3)], ids=repr)
def test_a_copy_is_built_from_x(backend, layer):
    reports = [check_gradients(layer, asarray(X)) for _ in range(2)]
    reports[0].assert_ok()
    assert str(reports[0]) == str(reports[1])  # a fixed seed
    assert not layer.params and not layer.state


class Forgets(LayerNorm):
    """Its backward forgets gamma, which a network starts with 1."""

    def derive(self, xp, dout, x_hat, scale, gamma):
        return super().derive(xp, dout, x_hat, scale, xp.ones_like(gamma))


def test_the_values_of_a_built_copy_hide_no_fault():
    report = check_gradients(Forgets(), X)
    assert [row.name for row in report.arrays if row.verdict != "ok"] == ["x"]


def test_shapes_and_kinds_of_x():
    check_gradients(Affine(3), [[1, 2], [3, 4]]).assert_ok()
    check_gradients(Affine(3), X.astype("float32")).assert_ok()
    with pytest.raises(ValueError, match=r"BatchNorm: x must have shape \(N, C, …\), but a sample"):
        check_gradients(BatchNorm(), [1.0, 2.0])
    with pytest.raises(ValueError, match="check_gradients: |Affine.build: "):
        check_gradients(Affine(3), np.ones((2, 0)))
