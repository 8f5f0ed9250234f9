"""The memory that training takes: each racer in a fresh process, its peak during steps above that before.

python -m benchmarks.convolution.memory RACER MODEL THREADS STEPS      one racer; prints MiB
"""

import subprocess
import sys
from collections.abc import Iterable

from benchmarks.memory import STATUS, forget_peak, resident
from benchmarks.peers.job import CHECKOUT

STEPS, ROUNDS = 4, 3


def run_here(racer: str, model: str, threads: int, steps: int) -> float:
    """Return the growth of this process by the steps at its peak, in MiB."""
    import numpy as np

    from benchmarks.convolution.data import load
    from benchmarks.convolution.models import MODELS
    from benchmarks.convolution.racer import BATCH
    from benchmarks.convolution.registry import RACERS
    from benchmarks.convolution.threads import limited_to

    images = load()
    with limited_to(threads):
        made = RACERS[racer](MODELS[model], images, threads=threads)
        batches = np.random.default_rng(1).integers(len(images.x), size=(steps, BATCH))
        forget_peak()
        before = resident()
        for batch in batches:
            made.step(batch[None])
        return resident(peak=True) - before


def run_all(
    racers: Iterable[str], model: str, threads: int, rounds: int = ROUNDS, steps: int = STEPS
) -> dict[str, list[float]]:
    """Return the growth of each racer's process in each round, in MiB."""
    names = list(racers)
    grown: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            grown[name].append(_in_process(name, model, threads, steps))
    return grown


def _in_process(racer: str, model: str, threads: int, steps: int) -> float:
    arguments = ["-m", __name__, racer, model, str(threads), str(steps)]
    command = [sys.executable, *arguments]
    ran = subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True)
    return float(ran.stdout)


def why_not() -> str | None:
    """Return the reason why memory cannot be measured here, or None."""
    return None if STATUS.exists() else f"reads {STATUS}, which only Linux has"


if __name__ == "__main__":
    print(run_here(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
