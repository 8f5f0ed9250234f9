"""The whole training job by every peer, each time in a process of its own.

10,000 iterations at batch 100, and before each epoch of 600 and at the end the accuracies over all 70,000
images: 18 times. The time begins with the data and the weights in place and ends with the last accuracy; what
a peer compiles on the way counts.

    python -m benchmarks.peers.job NAME ITERATIONS SEED      one of them, one line of JSON
"""

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

CHECKOUT = Path(__file__).parents[2]
HIDDEN, BATCH, ITERATIONS = 50, 100, 10_000


def run_here(name: str, iterations: int, seed: int) -> dict[str, Any]:
    """One job by the peer of that name, in this process."""
    import numpy as np

    from benchmarks.memory import STATUS, resident
    from benchmarks.peers.data import load
    from benchmarks.peers.one_thread import one_thread
    from benchmarks.peers.registry import BY_DEFAULT, PEERS

    with one_thread():
        peer = (PEERS | BY_DEFAULT)[name](HIDDEN, BATCH, load())
        start, cpu_start = time.perf_counter(), time.process_time()
        losses, accuracies = peer.job(iterations, np.random.default_rng(seed))
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    assert len(losses) == iterations, f"{name}: {len(losses)} losses"
    train, test = accuracies[-1]
    return {
        "name": name,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,  # as many where nothing else wanted the core
        "evaluations": len(accuracies),
        "loss": float(np.mean(losses[-100:])),
        "train": train,
        "test": test,
        "peak_mib": resident(peak=True) if STATUS.exists() else None,
    }


def run_all(names: list[str], rounds: int, iterations: int = ITERATIONS) -> list[dict[str, Any]]:
    """All jobs in every round, in an order drawn anew; prints each as it ends."""
    order, results = random.Random(0), []
    for seed in range(rounds):
        for name in order.sample(names, len(names)):
            arguments = [name, str(iterations), str(seed)]
            process = subprocess.run(
                [sys.executable, "-m", "benchmarks.peers.job", *arguments],
                cwd=CHECKOUT,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            result = json.loads(process.stdout.splitlines()[-1])
            results.append({**result, "round": seed})
            print(f"round {seed + 1}: {name}, {result['seconds']:.2f} s", file=sys.stderr)
    require_same_accuracy(results)
    return results


def require_same_accuracy(results: list[dict[str, Any]]) -> None:
    """Raise AssertionError where a peer learnt more or less than the others: it then did something else."""
    usual = median(result["train"] for result in results)
    for result in results:
        assert abs(result["train"] - usual) < 0.01, f"{result['name']}: {result['train']}, not {usual}"


if __name__ == "__main__":
    print(json.dumps(run_here(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
