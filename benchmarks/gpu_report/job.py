"""The job: a whole training run by one library, timed to the last loss and the last update."""

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.gpu_report.problem import Problem
from benchmarks.gpu_report.rows import Recorder, Wrong

FIRST = 200  # losses that are compared with NumPy's


class JobPeer:
    """A library that trains the same network from the same weights on the same batches.

    problem: data, weights and batches, moved to the device as the library's users would do it.
    device: "cuda" or "cpu". Subclasses import their library in methods, so that the others run without it.
    """

    name: str

    def __init__(self, problem: Problem, device: str) -> None:
        raise NotImplementedError

    def warm_up(self) -> None:
        """Compile or capture what `train` will run."""
        raise NotImplementedError

    def reset(self) -> None:
        """Restore the initial weights in place."""
        raise NotImplementedError

    def train(self) -> Sequence[float]:
        """Make one update per batch and return the mean loss of each before its update, on the host."""
        raise NotImplementedError

    def wait(self) -> None:
        """Wait until the device has finished."""
        raise NotImplementedError

    def accuracy(self) -> float:
        """Return the accuracy over the test samples, in [0, 1]."""
        raise NotImplementedError


def measure_job(
    record: Recorder, kind: type[JobPeer], problem: Problem, device: str, rounds: int
) -> list[float] | None:
    """Time the job `rounds` times, a row each. Returns the losses of the last, or None if it failed."""
    losses = None
    with record.attempt("job", kind.name):
        peer = kind(problem, device)
        peer.wait()
        start = time.perf_counter()
        peer.warm_up()
        peer.wait()
        record("warm-up", kind.name, seconds=time.perf_counter() - start)
        for i in range(rounds):
            peer.reset()
            peer.wait()
            start = time.perf_counter()
            losses = list(peer.train())
            peer.wait()
            taken = time.perf_counter() - start
            if len(losses) != len(problem.batches):
                raise Wrong(f"{kind.name}: {len(losses)} losses of {len(problem.batches)} batches")
            record(
                "job",
                kind.name,
                round=i,
                seconds=taken,
                iterations=len(losses),
                first_losses=losses[:FIRST],
                last_loss=float(np.mean(losses[-100:])),
                accuracy=peer.accuracy(),
            )
    return losses
