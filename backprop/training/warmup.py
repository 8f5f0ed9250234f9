"""Warming up: everything that is slow when it is first done, done beforehand."""

import time

from backends import Backend, choose
from backprop.networks import TwoLayerNet
from backprop.training.train import train


def warmup(backend: str | Backend | None = None) -> float:
    """Do everything once that is slow when it is first done on a backend; returns the seconds that it took.

    It trains and evaluates a tiny network of its own: on a GPU its kernels are compiled, or come from the
    cache of an earlier process, cuBLAS is loaded, and a graph is captured. A second call takes milliseconds.
    `train` warms up by itself, outside of the seconds that it reports.
    backend: a name or Backend; None takes the one in force.  Raises BackendUnavailable.

    >>> warmup("numpy") < 10.0
    True
    """
    backend, started = choose(backend, "warmup").backend, time.perf_counter()
    net = TwoLayerNet(4, 4, 2, dtype="float32", rng=0, backend=backend)
    x, t = [[0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]], [0, 1]
    train(net, x, t, iterations=1, batch_size=2, rng=0)
    net.gradient(x, t)
    net.loss(x, t)
    net.predict(x)
    backend.synchronize()
    return time.perf_counter() - started
