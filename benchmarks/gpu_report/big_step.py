"""The big step, dominated by matrix products: ours, and its five products alone."""

from collections.abc import Callable

import numpy as np

from backends import load
from backprop import precision
from backprop.layers import Affine, ReLU, SoftmaxCrossEntropy
from backprop.reporting.timing import Work, in_turns
from benchmarks.gpu_report import library
from benchmarks.gpu_report.job import FIRST
from benchmarks.gpu_report.ours import Captured
from benchmarks.gpu_report.problem import Problem, big_problem
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings

PRECISIONS = {"float32": "ieee", "TF32": "tf32"}  # by their names in the table and in the library
CHECKED = 2  # losses that NumPy computes as well, each in some seconds


class Step(Captured):
    """A step captured in the warm-up, which also leaves the first losses; a call only replays it."""

    def warm_up(self) -> None:
        super().warm_up()
        self.reset()
        self.first_losses = self.train()[:FIRST]


class Products:
    """The five products of a step into existing arrays, in the same loop and by the same calls as ours."""

    def __init__(self, problem: Problem, backend_name: str) -> None:
        self.backend = backend = load(backend_name)
        W1, b1, W2, b2 = (backend.asarray(w, "float32") for w in problem.weights.values())
        batch = problem.batches[0]
        x, labels = backend.asarray(problem.data.x[batch]), backend.asarray(problem.data.t[batch])
        affine, loss = Affine(W2, b2), SoftmaxCrossEntropy()
        h = ReLU().forward(Affine(W1, b1).forward(x))
        z = affine.forward(h)
        loss.forward(z, labels)
        dz = loss.backward()
        dh, dW1, dW2 = (backend.empty(array.shape, "float32") for array in (h, W1, W2))
        triples = ((x, W1, h), (h, W2, z), (h.T, dz, dW2), (dz, W2.T, dh), (x.T, dh, dW1))
        product = library.product(backend)

        def step(i: int) -> None:
            for a, b, out in triples:
                product(a, b, out)

        self.steps = min(len(problem.batches), backend.iterations_at_once)
        self.run = library.looped(backend, step)

    def __call__(self) -> None:
        self.run(self.steps)
        self.backend.synchronize()


def measure(record: Recorder, settings: Settings) -> None:
    problem = big_problem(settings)
    calls: dict[str, Callable[[], object]] = {}
    steps: dict[str, Step] = {}
    for name, wanted in PRECISIONS.items():
        if settings.device == "cpu" and wanted == "tf32":
            continue  # a CPU has no TF32
        with record.attempt("big", f"ours, {name}"), precision(wanted):
            step = Step(problem, settings.device)
            step.warm_up()
            steps[f"ours, {name}"], calls[f"ours, {name}"] = step, step.train
        with record.attempt("big", f"products, {name}"), precision(wanted):
            calls[f"products, {name}"] = products = Products(problem, settings.backend)
            products()
    works = {name: _work(call, PRECISIONS[name.split(", ")[1]]) for name, call in calls.items()}
    times = in_turns(works, rounds=settings.rounds, block=settings.block)
    for name, rounds in times.seconds.items():
        first = {"first_losses": steps[name].first_losses} if name in steps else {}
        for i, taken in enumerate(rounds):
            record("big", name, round=i, seconds=taken / settings.big_steps, **first)
    record("big losses", "ours on NumPy", first_losses=losses_on_numpy(problem))


def _work(call: Callable[[], object], wanted: str) -> Work:
    def work(n: int) -> None:
        with precision(wanted):
            for _ in range(n):
                call()

    return work


def losses_on_numpy(problem: Problem) -> list[float]:
    """Return the first losses, computed by this library on the CPU."""
    few = problem._replace(batches=np.ascontiguousarray(problem.batches[:CHECKED]))
    step = Captured(few, "cpu")
    step.warm_up()
    step.reset()
    return step.train()
