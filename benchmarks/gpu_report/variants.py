"""The job's step with other optimizers and layers: what each of them adds to it."""

from collections.abc import Callable
from typing import Any

from backends import load
from backprop.layers import Affine, BatchNorm, Dropout, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD, Adam, AdamW, Optimizer
from backprop.reporting.timing import Work, in_turns
from benchmarks.gpu_report import library
from benchmarks.gpu_report.problem import Problem
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.data import CLASSES, PIXELS

# Layers between the two of Affine, and the optimizer.
VARIANTS: dict[str, tuple[Callable[[], list[Any]], Callable[[], Optimizer]]] = {
    "SGD": (lambda: [ReLU()], lambda: SGD(0.1)),
    "Adam": (lambda: [ReLU()], lambda: Adam(0.001)),
    "AdamW, clip": (lambda: [ReLU()], lambda: AdamW(0.001, clip=1.0)),
    "SGD, BatchNorm": (lambda: [BatchNorm(), ReLU()], lambda: SGD(0.1)),
    "SGD, BatchNorm, Dropout": (lambda: [BatchNorm(), ReLU(), Dropout(0.2)], lambda: SGD(0.1)),
}


def measure(record: Recorder, problem: Problem, settings: Settings) -> None:
    """Time a captured step of each variant, in turns: a row for each round."""
    works, count = {}, max(1, len(problem.batches) // 10)  # steps per call
    for name in VARIANTS:
        with record.attempt("step", name):
            works[name] = _work(name, problem, settings, count)
    times = in_turns(works, rounds=settings.rounds, block=settings.block)
    for name, rounds in times.seconds.items():
        for i, taken in enumerate(rounds):
            record("step", f"step: {name}", round=i, seconds=taken / count)


def _work(name: str, problem: Problem, settings: Settings, count: int) -> Work:
    between, optimizer = VARIANTS[name]
    layers = [Affine(len(problem.weights["b1"])), *between(), Affine(CLASSES)]
    backend = load(settings.backend)
    net = Network(layers, SoftmaxCrossEntropy(), PIXELS, CLASSES, rng=0, dtype="float32", backend=backend)
    data = net.prepare("gpu_report", problem.data.x, problem.data.t)
    train = library.training_loop(net, *data, settings.batch_size, True, optimizer())
    train(problem.batches[:count])  # tries and captures

    def work(n: int) -> None:
        for _ in range(n):
            train(problem.batches[:count])

    return work
