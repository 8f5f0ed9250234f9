"""Numerical gradients in float64 on three random samples, entry by entry and by columns, by both methods.

black box: `net.numerical_gradient` of 100-20-10. It evaluates the loss for each of 2,230 parameters, twice
for "central" and once for "complex". On a GPU an evaluation takes some tens of launches and one
synchronization, so the 39,760 parameters of 784-50-10 would not finish within the limit of this group.
columns: all parameters of 784-50-10 as in a full gradient check, many perturbed outputs of a layer at a time
(backprop/networks/jacobian.py).
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backends import Array
from backprop import TwoLayerNet, to_numpy
from backprop.networks.jacobian import gradient_by_columns, places
from benchmarks.gpu_report.readings import BLACK_BOX, COLUMNS
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.targets import METHODS, numerical_name
from benchmarks.peers.data import CLASSES, PIXELS

SAMPLES, ROUNDS = 3, 3
Way = Callable[[TwoLayerNet, Array, Array, str], Mapping[str, Any]]


def black_box(net: TwoLayerNet, x: Array, t: Array, method: str) -> Mapping[str, Any]:
    """Return the gradient by evaluating the loss for each parameter."""
    return net.numerical_gradient(x, t, method)


def by_columns(net: TwoLayerNet, x: Array, t: Array, method: str) -> Mapping[str, Any]:
    """Return the gradient of all parameters by columns of the Jacobians of their layers."""
    return {
        outer: gradient_by_columns(place, own, method)
        for place in places(net, x, t)
        if place.layer is not None
        for own, outer in place.names.items()
    }


# Those with a target first, in case the time runs out.  (Pixels, hidden units) on a GPU.
WAYS: dict[str, tuple[Way, tuple[int, int]]] = {
    COLUMNS: (by_columns, (PIXELS, 50)),
    BLACK_BOX: (black_box, (100, 20)),
}
REHEARSED = (100, 5)  # on the CPU, for both ways


def measure(record: Recorder, settings: Settings) -> None:
    for way, (compute, sizes) in WAYS.items():
        pixels, hidden = sizes if settings.device == "cuda" else REHEARSED
        rng = np.random.default_rng(0)
        net = TwoLayerNet(pixels, hidden, CLASSES, dtype="float64", rng=0, backend=settings.backend)
        x, t = net.prepare("gpu_report", rng.random((SAMPLES, pixels)), rng.integers(CLASSES, size=SAMPLES))
        network = f"{pixels}-{hidden}-{CLASSES}"
        for method in METHODS:
            name = numerical_name(way, method)
            with record.attempt("numerical", name):
                exact = net.gradient(x, t)
                difference = off(compute(net, x, t, method), exact)  # also compiles
                for i in range(ROUNDS):
                    net.backend.synchronize()
                    start = time.perf_counter()
                    compute(net, x, t, method)
                    net.backend.synchronize()
                    taken = time.perf_counter() - start
                    record("numerical", name, round=i, seconds=taken, difference=difference, network=network)


def off(numerical: Mapping[str, Any], exact: Mapping[str, Array]) -> float:
    """Return the largest difference of two gradients, or NaN.  Raises KeyError for a missing parameter."""
    return float(np.max([abs(to_numpy(numerical[name]) - to_numpy(exact[name])).max() for name in exact]))
