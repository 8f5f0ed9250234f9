"""The work of one rank: it trains, or takes means, beside the others; rank 0 reports the times."""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from backends.communicators import Communicator, choose_communicator
from backprop import TwoLayerNet
from backprop.optimizers import SGD
from backprop.training.step import Trainer
from benchmarks.ranks.launch import MARK

SAMPLES, AGREEING = 60_000, 3  # of MNIST; steps whose losses are compared
MOST = 500  # steps or calls of a block


def pin(communicator: Communicator) -> list[int]:
    """Keep to one core of its own, if there are enough for all; return the cores of this process."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    cores = sorted(os.sched_getaffinity(0))
    if max(communicator.gather(communicator.local_rank)) < len(cores):
        os.sched_setaffinity(0, {cores[communicator.local_rank]})
    return sorted(os.sched_getaffinity(0))


def timed(communicator: Communicator, call: Callable[[int], object], block: float) -> float:
    """Return the seconds of one call, from so many at once that they take `block` seconds on rank 0.

    call: does its work that many times, the same number on all ranks.
    """
    count, taken = 1, 0.0
    while True:
        communicator.barrier()
        begun = time.perf_counter()
        call(count)
        communicator.barrier()
        taken = communicator.gather(time.perf_counter() - begun)[0]
        if taken >= block / 2 or count >= MOST:
            return float(taken / count)
        count = min(MOST, max(count + 1, int(count * block / max(taken, 1e-7))))


def train(communicator: Communicator, hidden: int, batches: list[int], block: float) -> list[dict[str, Any]]:
    """Train a new 784-hidden-10 on random data, as `train` runs the steps, at each batch size.

    block: seconds to time at each; 0 for the first losses alone.
    """
    rng = np.random.default_rng(1)
    x, t = rng.random((SAMPLES, 784), "float32"), rng.integers(10, size=SAMPLES)
    found = []
    for batch in batches:
        net = TwoLayerNet(784, hidden, 10, rng=0, dtype="float32", backend="numpy")
        trainer = Trainer(net, SGD(0.01), *net.prepare("train", x, t), batch, communicator=communicator)

        def steps(count: int, trainer: Trainer = trainer, batch: int = batch) -> list[float]:
            return trainer.start(rng.integers(SAMPLES, size=(count, batch)))()

        losses = steps(AGREEING)
        seconds = timed(communicator, steps, block) if block else None
        found.append({"batch": batch, "losses": losses, "seconds": seconds})
    return found


def mean(communicator: Any, sizes: list[int], rounds: int, block: float) -> list[dict[str, Any]]:
    """Time Communicator.mean and the bare Allreduce in place of the same array, in turns, at each size."""
    from mpi4py import MPI

    bare, found = MPI.COMM_WORLD.Dup(), []
    for size in sizes:
        array = np.full(size, 0.0, "float32")
        works: dict[str, Callable[[], object]] = {
            "mean": lambda array=array: communicator.mean(array),  # type: ignore[misc]
            "allreduce": lambda array=array: bare.Allreduce(MPI.IN_PLACE, array),  # type: ignore[misc]
        }
        seconds: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(rounds):
            for name, work in works.items():
                work()
                repeated = lambda count, work=work: [work() for _ in range(count)]  # noqa: E731
                seconds[name].append(timed(communicator, repeated, block))
        found.append({"floats": size, **seconds})
    return found


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    own = choose_communicator(None, TwoLayerNet(1, 1, 1, backend="numpy").backend, "benchmarks.ranks")
    with own.together():
        pinned = own.gather(pin(own))
        do: Callable[..., Any] = train if job.pop("do") == "train" else mean
        report = do(own, **job)
    if own.rank == 0:
        print(MARK + json.dumps({"cores": pinned, "found": report}), flush=True)
