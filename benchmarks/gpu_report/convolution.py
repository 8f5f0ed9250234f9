"""Steps of SimpleConvNet and DeepConvNet by backprop itself, captured, and their first losses on NumPy.

Without the Dropout of DeepConvNet, which every library draws differently.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from backends import load
from backprop import Sequential, to_numpy
from backprop.layers import Affine, Conv2D, MaxPool2D, ReLU
from benchmarks.gpu_report import library, problem
from benchmarks.gpu_report.job import JobPeer
from benchmarks.gpu_report.problem import Problem
from benchmarks.gpu_report.readings import CAPTURED, NUMPY
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.timed import measure_steps
from benchmarks.peers.data import CLASSES

IMAGE = (1, 28, 28)
CHECKED = 3  # losses that NumPy computes as well


class Net(NamedTuple):
    """Sizes of a network: (filters, size of the kernel, padding) of each convolution, and hidden units.

    Each convolution is followed by ReLU, and those in `pooled`, counted from 0, by pooling of 2 × 2.
    """

    name: str
    convolutions: tuple[tuple[int, int, int], ...]
    pooled: tuple[int, ...]
    hidden: int


def nets(settings: Settings) -> list[Net]:
    few, many = settings.filters, 2 * settings.filters
    deep = [(few, 3, 1), (few, 3, 1), (many, 3, 1), (many, 3, 2), (2 * many, 3, 1), (2 * many, 3, 1)]
    return [
        Net("SimpleConvNet", ((settings.simple_filters, 5, 0),), (0,), 2 * settings.hidden),
        Net("DeepConvNet", tuple(deep), (1, 3, 5), settings.hidden),
    ]


def layers_of(net: Net) -> list[Any]:
    layers: list[Any] = []
    for i, (filters, size, padding) in enumerate(net.convolutions):
        layers += [Conv2D(filters, size, padding=padding), ReLU()]
        layers += [MaxPool2D(2)] if i in net.pooled else []
    return [*layers, Affine(net.hidden), ReLU(), Affine(CLASSES)]


def problem_of(net: Net, settings: Settings) -> Problem:
    """Return images (N, 784), initial weights and batches."""
    data = problem.load(settings)
    size = settings.conv_steps, settings.batch_size
    batches = np.random.default_rng(1).integers(len(data.x), size=size)
    made = Sequential(layers_of(net), IMAGE, rng=0, dtype="float32", backend="numpy")
    return Problem(data, {name: to_numpy(W).copy() for name, W in made.params.items()}, batches)


class Captured(JobPeer):
    """`Trainer`, as `train` runs it."""

    name = CAPTURED

    def __init__(self, problem: Problem, device: str, net: Net) -> None:
        self.weights, self.batches = problem.weights, problem.batches
        backend = load("cupy" if device == "cuda" else "numpy")
        self.net = Sequential(layers_of(net), IMAGE, dtype="float32", backend=backend)
        images = problem.data.x.reshape(-1, *IMAGE)
        self.data = self.net.prepare("gpu_report", images, problem.data.t)

    def warm_up(self) -> None:
        size = self.batches.shape[1]
        self.segment = library.training_loop(self.net, *self.data, size, capture=True)
        self.train()

    def reset(self) -> None:
        for name, values in self.weights.items():
            self.net.params[name] = values

    def train(self) -> Sequence[float]:
        return self.segment(self.batches)

    def wait(self) -> None:
        self.net.backend.synchronize()


def measure(record: Recorder, settings: Settings) -> None:
    for net in nets(settings):
        problem = problem_of(net, settings)
        measure_steps(record, Captured, net, problem, settings)
        few = problem._replace(batches=np.ascontiguousarray(problem.batches[:CHECKED]))
        on_numpy = Captured(few, "cpu", net)
        on_numpy.warm_up()
        on_numpy.reset()
        record("convolution losses", f"{NUMPY}, {net.name}", first_losses=list(on_numpy.train()))
