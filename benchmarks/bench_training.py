"""Training: the step of 784-50-10 at batch 100 with two optimizers and with BatchNorm, and a tiny training.

A step draws a batch, gathers it, runs forward and backward, and updates.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backprop import TwoLayerNet, train
from backprop.layers import Affine, BatchNorm, ReLU, SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.optimizers import SGD, Momentum, Optimizer
from backprop.reporting.timing import Work
from backprop.training import SEGMENT, Trainer

SAMPLES, BATCH = 60_000, 100  # as many samples as MNIST, since the time of gathering depends on the caches
DTYPES = ("float32", "float64")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.random((SAMPLES, 784), dtype=np.float32), rng.integers(10, size=SAMPLES)


def plain(dtype: str) -> Network:
    return TwoLayerNet(784, 50, 10, dtype=dtype, rng=0)


def normalized(dtype: str) -> Network:
    layers = [Affine(50), BatchNorm(), ReLU(), Affine(10)]
    return Network(layers, SoftmaxCrossEntropy(), 784, 10, dtype=dtype, rng=0)


VARIANTS: dict[str, tuple[str, Callable[[str], Network], Callable[[float], Optimizer]]] = {
    "SGD": ("784-50-10", plain, SGD),
    "Momentum": ("784-50-10", plain, Momentum),
    "BatchNorm": ("784-50-BatchNorm-10", normalized, SGD),
}


@pytest.mark.benchmark(group="training, 100 steps")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_training_step(timed, benchmark, backend, data, variant, dtype):
    if backend.name == "array_api_strict" and variant != "SGD":
        pytest.skip("array_api_strict is there to prove correctness: it is timed with SGD only")
    network, net_of, optimizer_of = VARIANTS[variant]
    net, optimizer, rng = net_of(dtype), optimizer_of(0.1), np.random.default_rng(1)
    trainer = Trainer(net, optimizer, *net.prepare("bench_training", *data), BATCH)

    # The work of `train` between two readings of the losses, without its evaluations.
    def segment():
        return trainer.start(rng.integers(SAMPLES, size=(SEGMENT, BATCH)))()

    def check(losses):
        assert len(losses) == SEGMENT and np.isfinite(losses).all()

    facts = {"network": network, "optimizer": type(optimizer).__name__, "batch": BATCH, "dtype": dtype}
    timed(segment, rounds=21, check=check, steps=SEGMENT, **facts)
    benchmark.extra_info["loop"] = trainer.run.how  # captured, or why not


# ------------------------------------------------------------- a tiny training, beside a loop written by hand

FEW, VALUES, HIDDEN, CLASSES = 50, 2, 3, 2
STEPS, RATE = 1000, 0.1
BY_HAND = "by hand"
TRAININGS: dict[str, dict[str, Any]] = {
    "train, evaluate_every=None": {"evaluate_every": None},
    "train, by default": {},  # measures the accuracy after every epoch, which is one step here
}
HEADER = ("50 samples, 2-3-2", "µs a step", "of by hand", "wanted", "")
WANTED = 1.3


def small_works() -> dict[str, Work]:
    """Return full-batch training runs on a few samples, STEPS steps per call: by hand, and by `train`."""
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((FEW, VALUES), dtype=np.float32), rng.integers(CLASSES, size=FEW)

    def new() -> TwoLayerNet:
        return TwoLayerNet(VALUES, HIDDEN, CLASSES, dtype="float32", rng=0, backend="numpy")

    by_hand = new()

    def loop(n: int) -> None:
        net = by_hand
        for _ in range(n * STEPS):
            gradient = net.gradient(x, t)
            for name in net.params:
                net.params[name] -= RATE * gradient[name]

    def training(options: dict[str, Any]) -> Work:
        net = new()

        def trainings(n: int) -> None:
            for _ in range(n):
                train(net, x, t, iterations=STEPS, batch_size=FEW, learning_rate=RATE, rng=0, **options)

        return trainings

    return {BY_HAND: loop, **{name: training(options) for name, options in TRAININGS.items()}}


@pytest.mark.benchmark(group="a small training, by hand and by train in turns")
def test_a_small_training(works_in_turns, closing_table):
    times = works_in_turns(small_works(), rounds=9, block=0.1)
    if times:
        rows = []
        for name in times.seconds:
            ratio = times.ratio(name, BY_HAND)
            verdict = ("", "") if name == BY_HAND else (f"at most {WANTED}", _verdict(ratio))
            rows.append((name, f"{times.median(name) / STEPS * 1e6:.1f}", f"{ratio:.2f}", *verdict))
        closing_table("a small training beside a loop by hand, medians", HEADER, rows)


def _verdict(ratio: float) -> str:
    return "met" if ratio <= WANTED else "MISSED"
