"""Memory that training runs leave behind on the device: a graph's memory must be released with the graph."""

import gc

import numpy as np

from backends import load
from backprop import TwoLayerNet, train
from benchmarks.gpu_report import library
from benchmarks.gpu_report.problem import random_images
from benchmarks.gpu_report.rows import Wrong
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.stages import Stages
from benchmarks.peers.data import CLASSES, PIXELS

FIRST, TRAININGS, STEPS = 2, 20, 10  # uncounted runs, counted ones, steps of each
ALLOWED = 64.0  # MiB


def stage(stages: Stages, settings: Settings) -> None:
    with stages(f"memory that {TRAININGS} training runs by cuBLAS leave behind") as say:
        grown = growth(settings)
        say(f"{grown:+.1f} MiB (at most {ALLOWED:g})")
        if grown > ALLOWED:
            raise Wrong(f"{TRAININGS} training runs left {grown:.0f} MiB behind, at most {ALLOWED:g} wanted")


def growth(settings: Settings) -> float:
    """Return the growth of memory in use since the first runs, in MiB; on the host in a rehearsal."""
    hidden, batch_size = (1024, 1024) if settings.device == "cuda" else (16, 16)
    data, backend = random_images(6 * batch_size), load(settings.backend)
    x, t = np.ascontiguousarray(data.x), data.t
    net = TwoLayerNet(PIXELS, hidden, CLASSES, dtype="float32", rng=0, backend=backend)
    before = 0.0
    with library.own_products(False):
        for i in range(FIRST + TRAININGS):
            if i == FIRST:
                gc.collect()
                before = library.memory_in_use(backend)
            train(net, x, t, iterations=STEPS, batch_size=batch_size, rng=0)
    gc.collect()
    return (library.memory_in_use(backend) - before) / 2**20
