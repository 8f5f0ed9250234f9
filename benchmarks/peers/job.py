"""The whole training job by every peer, each in its own process, one epoch per turn.

10,000 iterations at batch 100, with accuracies over all 70,000 images before each epoch of 600 and at the
end: 18 times. The time begins with the data and the weights in place and ends with the last accuracy.
Compiling counts; waiting for a turn does not.

    python -m benchmarks.peers.job NAME ITERATIONS SEED      one peer; each line on standard input is a turn
"""

import json
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

CHECKOUT = Path(__file__).parents[2]
HIDDEN, BATCH, ITERATIONS = 50, 100, 10_000
TURN = "my turn?"


class Clock:
    """A clock of wall and processor seconds that stops between turns; call it when a turn ends."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0
        self.wait()

    def __call__(self) -> None:
        self.stop()
        self.wait()

    def wait(self) -> None:
        print(TURN, flush=True)
        sys.stdin.readline()
        self.start, self.cpu_start = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        self.seconds += time.perf_counter() - self.start
        self.cpu_seconds += time.process_time() - self.cpu_start


def run_here(name: str, iterations: int, seed: int) -> dict[str, Any]:
    """Run one job by the peer of that name in this process."""
    import numpy as np

    from benchmarks.memory import STATUS, resident
    from benchmarks.peers.data import load
    from benchmarks.peers.one_thread import one_thread
    from benchmarks.peers.registry import BY_DEFAULT, PEERS

    with one_thread():
        peer = (PEERS | BY_DEFAULT)[name](HIDDEN, BATCH, load())
        clock = Clock()
        losses, accuracies = peer.job(iterations, np.random.default_rng(seed), clock)
        clock.stop()
    assert len(losses) == iterations, f"{name}: {len(losses)} losses"
    train, test = accuracies[-1]
    return {
        "name": name,
        "seconds": clock.seconds,
        "cpu_seconds": clock.cpu_seconds,  # equal to `seconds` if nothing else used the core
        "evaluations": len(accuracies),
        "loss": float(np.mean(losses[-100:])),
        "train": train,
        "test": test,
        "peak_mib": resident(peak=True) if STATUS.exists() else None,
    }


def run_all(names: list[str], rounds: int, iterations: int = ITERATIONS) -> list[dict[str, Any]]:
    """Run the jobs of all peers in every round, in turns of random order, and print each as it ends."""
    order, results = random.Random(0), []
    for seed in range(rounds):
        for result in run_round(names, order, iterations, seed):
            results.append({**result, "round": seed})
            print(f"round {seed + 1}: {result['name']}, {result['seconds']:.2f} s", file=sys.stderr)
    require_same_accuracy(results)
    return results


def run_round(names: list[str], order: random.Random, iterations: int, seed: int) -> list[dict[str, Any]]:
    results = []
    with ExitStack() as stack:
        waiting = {name: stack.enter_context(_process(name, iterations, seed)) for name in names}
        for process in waiting.values():
            assert process.stdout.readline().strip() == TURN
        while waiting:
            for name in order.sample(list(waiting), len(waiting)):
                print(file=waiting[name].stdin, flush=True)
                if (line := waiting[name].stdout.readline().strip()) != TURN:
                    results.append(json.loads(line))
                    del waiting[name]
    return results


def _process(name: str, iterations: int, seed: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.peers.job", name, str(iterations), str(seed)]
    return subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def require_same_accuracy(results: list[dict[str, Any]]) -> None:
    """Raise AssertionError if a peer's accuracy differs, which means that it computed something else."""
    usual = median(result["train"] for result in results)
    for result in results:
        assert abs(result["train"] - usual) < 0.01, f"{result['name']}: {result['train']}, not {usual}"


if __name__ == "__main__":
    print(json.dumps(run_here(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
