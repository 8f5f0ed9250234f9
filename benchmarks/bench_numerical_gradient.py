"""The gradient by backpropagation against the numerical one: the comparison of chapter 5.

Both use the same network and batch, in float64, since the numerical gradient always computes in it.
"""

import numpy as np
import pytest

from backprop import TwoLayerNet

SIZES = {"20-5-3": (20, 5, 3), "100-20-10": (100, 20, 10), "784-50-10": (784, 50, 10)}
BATCH = 3


@pytest.mark.benchmark(group="gradient")
@pytest.mark.parametrize("method", ["backprop", "central", "complex"])
@pytest.mark.parametrize("network", SIZES)
def test_gradient(timed, backend, network, method):
    if backend.name == "array_api_strict" and network == "784-50-10":
        # That namespace is for correctness; its time would take minutes and tell nothing.
        pytest.skip("array_api_strict is timed on the smaller networks only")
    net = TwoLayerNet(*SIZES[network], dtype="float64", rng=0)
    rng = np.random.default_rng(0)
    x = backend.asarray(rng.random((BATCH, net.input_size)))
    t = backend.asarray(rng.integers(net.output_size, size=BATCH))
    facts = {"network": network, "batch": BATCH, "dtype": "float64", "method": method}

    if method == "backprop":
        timed(lambda: net.gradient(x, t), rounds=201, iterations=10, **facts)
        return
    expected = net.gradient(x, t)

    def check(numerical):
        for name in expected:
            pair = backend.to_numpy(numerical[name]), backend.to_numpy(expected[name])
            np.testing.assert_allclose(*pair, rtol=0, atol=1e-7, err_msg=name)

    timed(lambda: net.numerical_gradient(x, t, method), rounds=3, check=check, **facts)
