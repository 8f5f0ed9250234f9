"""The job by backprop itself: captured, as `train` runs it on a GPU, and eagerly."""

from math import prod

import numpy as np

from backends import load
from backprop import TwoLayerNet, warmup
from benchmarks.gpu_report import library, variants
from benchmarks.gpu_report.job import JobPeer, measure_job
from benchmarks.gpu_report.problem import Problem, job_problem
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.data import CLASSES, PIXELS


class Captured(JobPeer):
    """`Trainer`, as `train` runs it."""

    name = "ours, captured"
    capture = True

    def __init__(self, problem: Problem, device: str) -> None:
        self.backend = load("cupy" if device == "cuda" else "numpy")
        self.weights, self.batches = problem.weights, problem.batches
        hidden = len(self.weights["b1"])
        self.net = net = TwoLayerNet(PIXELS, hidden, CLASSES, dtype="float32", backend=self.backend)
        self.train_set = net.prepare("gpu_report", problem.data.x, problem.data.t)
        self.test_set = net.prepare("gpu_report", problem.data.x_test, problem.data.t_test)
        self.reset()

    def warm_up(self) -> None:
        size = self.batches.shape[1]
        self.segment = library.training_loop(self.net, *self.train_set, size, self.capture)
        self.at_once = self.backend.iterations_at_once
        self.segment(self.batches[: self.at_once])

    def reset(self) -> None:
        for name, values in self.weights.items():
            self.net.params[name] = values

    def train(self) -> list[float]:
        losses: list[float] = []
        largest = self.batches.shape[1] * max(map(prod, self.net.params.shapes.values()))
        with self.backend.threads_for(largest):
            for start in range(0, len(self.batches), self.at_once):
                losses += self.segment(self.batches[start : start + self.at_once])
        return losses

    def wait(self) -> None:
        self.backend.synchronize()

    def accuracy(self) -> float:
        return self.net.share_correct(*self.test_set)


class Eager(Captured):
    """The same kernels, launched by Python one by one."""

    name = "ours, eager"
    capture = False


def measure(record: Recorder, settings: Settings) -> None:
    problem = job_problem(settings)
    record("warm-up", "our kernels", seconds=warmup(load(settings.backend)))
    captured = measure_job(record, Captured, problem, settings.device, settings.rounds)
    eager = measure_job(record, Eager, problem, settings.device, settings.eager_rounds)
    if captured and eager:
        difference = np.abs(np.subtract(captured, eager)).max()
        record("difference", "ours, captured and eager", value=float(difference))
    variants.measure(record, problem, settings)
