"""The time of a whole training run as a user starts it, with evaluations."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import backprop
from backends import Backend
from backprop.cli.bench.plan import Plan, Row, repeat
from backprop.cli.blas import blas_threads, threads_in_force
from backprop.reporting.timing import in_turns

HIDDEN, BATCH, LEARNING_RATE = 50, 100, 0.3


def job(plan: Plan, backends: Sequence[Backend], seed: int) -> list[Row]:
    """Time `train` of a new 784-50-10 network on the bundled sample, with evaluations: a row per backend."""
    train_set, test_set = backprop.load_mnist_sample()
    histories: dict[str, Any] = {}

    def train(backend: Backend) -> None:
        net = backprop.TwoLayerNet(784, HIDDEN, 10, dtype="float32", rng=seed, backend=backend)
        histories[backend.name] = backprop.train(
            net,
            *train_set,
            *test_set,
            iterations=plan.iterations,
            batch_size=BATCH,
            learning_rate=LEARNING_RATE,
            rng=seed,
        )

    with blas_threads(BATCH * 784 * HIDDEN):
        threads = threads_in_force()
        works = {backend.name: repeat(backend, partial(train, backend)) for backend in backends}
        times = in_turns(works, rounds=plan.rounds, block=plan.block)
    return [
        {
            "backend": name,
            "blas_threads": threads,
            "hidden": HIDDEN,
            "batch": BATCH,
            "dtype": "float32",
            "learning_rate": LEARNING_RATE,
            "iterations": plan.iterations,
            "evaluations": len(history.iterations),
            "samples": {"train": len(train_set[0]), "test": len(test_set[0])},
            "test_accuracy": history.test_accuracy[-1],
            "seconds": times.median(name),
            "of_reference": times.median(name) / times.median(backends[0].name),
            "rounds": times.seconds[name],
        }
        for name, history in histories.items()
    ]
