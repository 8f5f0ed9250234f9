"""Warm-up: compiling kernels and loading libraries before they are needed."""

import time

from backends import Backend, choose
from backprop.networks import TwoLayerNet
from backprop.training.train import train


def warmup(backend: str | Backend | None = None) -> float:
    """Do everything that is slow the first time on a backend, and return the seconds that it took.

    It trains and evaluates a tiny network. On a GPU this compiles the kernels or loads them from the disk
    cache of an earlier process, loads cuBLAS and captures a CUDA graph. A second call takes milliseconds.
    `train` warms up by itself; its reported seconds do not include that.

    Parameters
    ----------
    backend : str or Backend, optional
        By default the active backend.

    Raises
    ------
    BackendUnavailable
        If the backend cannot be used here.

    Examples
    --------
    >>> from backprop import warmup
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
