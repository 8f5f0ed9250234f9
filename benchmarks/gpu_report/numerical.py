"""The numerical gradient of 784-50-10 on three random samples, many copies at once, in float64."""

import time

import numpy as np

from backprop import TwoLayerNet, to_numpy
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.data import CLASSES, PIXELS

METHODS, SAMPLES, ROUNDS = ("central", "complex"), 3, 3


def measure(record: Recorder, settings: Settings) -> None:
    rng = np.random.default_rng(0)
    # In a rehearsal NumPy takes a network that is a hundredth of the size.
    pixels, hidden = (PIXELS, 50) if settings.device == "cuda" else (100, 5)
    net = TwoLayerNet(pixels, hidden, CLASSES, dtype="float64", rng=0, backend=settings.backend)
    x, t = net.enter("gpu_report", rng.random((SAMPLES, pixels)), rng.integers(CLASSES, size=SAMPLES))
    for method in METHODS:
        case = f"{method}, CUB off"  # see groups.py
        with record.attempt("numerical", case):
            exact = net.gradient(x, t)
            numerical = net.numerical_gradient(x, t, method)  # compiles what it needs
            difference = max(float(abs(to_numpy(numerical[name] - exact[name])).max()) for name in exact)
            for i in range(ROUNDS):
                net.backend.synchronize()
                start = time.perf_counter()
                net.numerical_gradient(x, t, method)
                net.backend.synchronize()
                record("numerical", case, round=i, seconds=time.perf_counter() - start, difference=difference)
