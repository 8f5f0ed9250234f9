"""Time the numerical gradient against backpropagation, on every backend that works on this machine.

The two gradients must agree before the numerical one is timed. Copy the file and put a network of your own
into `problem`.

    pip install pytest pytest-benchmark
    pytest compare_backends.py --benchmark-columns=median,rounds
"""

import numpy as np
import pytest

import backprop


@pytest.fixture(params=backprop.available_backends())
def backend(request):
    with backprop.use_backend(request.param) as backend:
        yield backend


@pytest.fixture
def problem(backend):
    """A network and a batch, both on the backend, in float64 as in the numerical gradient."""
    rng = np.random.default_rng(0)
    net = backprop.TwoLayerNet(64, 20, 10, dtype="float64", rng=0)
    return net, backprop.asarray(rng.random((3, 64))), backprop.asarray(rng.integers(10, size=3))


@pytest.fixture
def time_gradient(backend, benchmark):
    """Return a function that times another one until the device has finished."""

    def run(gradient, rounds):
        def call():
            gradient()
            backend.synchronize()  # a GPU returns before its work is done

        benchmark.pedantic(call, rounds=rounds, warmup_rounds=1)

    return run


def test_backpropagation(problem, time_gradient):
    net, x, t = problem
    time_gradient(lambda: net.gradient(x, t), rounds=100)


@pytest.mark.parametrize("method", ["complex", "central"])
def test_numerical_gradient(problem, time_gradient, method):
    net, x, t = problem
    by_backprop, numerical = net.gradient(x, t), net.numerical_gradient(x, t, method)
    for name in by_backprop:
        pair = backprop.to_numpy(numerical[name]), backprop.to_numpy(by_backprop[name])
        np.testing.assert_allclose(*pair, rtol=0.0, atol=1e-7, err_msg=name)
    time_gradient(lambda: net.numerical_gradient(x, t, method), rounds=3)
