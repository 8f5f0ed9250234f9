"""Momentum: the rule of the book, its state, and its settings."""

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.optimizers import Momentum

RNG = np.random.default_rng(0)


def test_the_rule(backend):
    w, v = RNG.normal(size=7), np.zeros(7)
    params, optimizer = {"w": asarray(w.copy())}, Momentum(0.1, momentum=0.8)
    for _ in range(5):
        g = RNG.normal(size=7)
        optimizer.update(params, {"w": asarray(g)})
        v = 0.8 * v - 0.1 * g
        w = w + v
        np.testing.assert_allclose(to_numpy(params["w"]), w, rtol=1e-14)
        np.testing.assert_allclose(to_numpy(optimizer.state["v"]), v, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize(("momentum", "words"), [(1.0, "below 1, got 1.0"), (-0.1, "at least 0 .* got -0.1")])
def test_wrong_settings(momentum, words):
    with pytest.raises(ValueError, match=f"Momentum: momentum must be a finite number .*{words}"):
        Momentum(0.1, momentum=momentum)
