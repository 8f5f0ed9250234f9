"""Optimizers: a step of 784-50-10 at batch 100 with each of them, as a multiple of the step with SGD.

A step draws a batch, gathers it, runs forward and backward, and updates. All are timed in turns, so that a
slow phase of the machine affects them alike.
"""

from collections.abc import Callable

import numpy as np
import pytest

from backprop import TwoLayerNet
from backprop.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from backprop.reporting.timing import Work
from backprop.training import SEGMENT, Trainer

SAMPLES, BATCH = 60_000, 100
HEADER = ("784-50-10, float32", "µs a step", "of SGD's", "wanted", "")
REFERENCE = "SGD"

# By name: the optimizer, and the multiple of SGD's step that its own may take.
CASES: dict[str, tuple[Callable[[], Optimizer], float | None]] = {
    REFERENCE: (lambda: SGD(0.01), None),
    "Momentum": (lambda: Momentum(0.01), 1.15),
    "Nesterov": (lambda: Nesterov(0.01), 1.15),
    "AdaGrad": (lambda: AdaGrad(0.001), 1.3),
    "RMSProp": (lambda: RMSProp(0.001), 1.3),
    "Adam": (lambda: Adam(0.001), 1.4),
    "AdamW, no decay": (lambda: AdamW(0.001, weight_decay=0.0), 1.4),
    "AdamW": (lambda: AdamW(0.001), None),
    "SGD, weight decay": (lambda: SGD(0.01, weight_decay=1e-4), None),
    "SGD, clip that clips": (lambda: SGD(0.01, clip=0.01), None),
    "SGD, clip that does not": (lambda: SGD(0.01, clip=1e6), None),
}


def works() -> dict[str, Work]:
    """Return training runs of 100 steps per call, one for each optimizer, on the same data."""
    rng = np.random.default_rng(0)
    x, t = rng.random((SAMPLES, 784), dtype=np.float32), rng.integers(10, size=SAMPLES)

    def work(optimizer: Optimizer) -> Work:
        net, batches = TwoLayerNet(784, 50, 10, dtype="float32", rng=0, backend="numpy"), rng.spawn(1)[0]
        trainer = Trainer(net, optimizer, *net.prepare("bench_optimizers", x, t), BATCH)

        def segments(n: int) -> None:
            for _ in range(n):
                losses = trainer.start(batches.integers(SAMPLES, size=(SEGMENT, BATCH)))()
                assert np.isfinite(losses).all()

        return segments

    return {name: work(make()) for name, (make, _) in CASES.items()}


@pytest.mark.benchmark(group="a step with each optimizer, in turns")
def test_steps(works_in_turns, closing_table):
    times = works_in_turns(works(), rounds=25, block=0.04)
    if times:
        rows = []
        for name, (_, most) in CASES.items():
            ratio = times.ratio(name, REFERENCE)
            verdict = (
                ("", "") if most is None else (f"at most {most:.2f}", "met" if ratio <= most else "MISSED")
            )
            rows.append((name, f"{times.median(name) / SEGMENT * 1e6:.0f}", f"{ratio:.2f}", *verdict))
        closing_table("a step with each optimizer, medians", HEADER, rows)
