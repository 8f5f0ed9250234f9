"""The time of training steps of many sizes, in turns with a large matrix product, the upper bound."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import matmul
from typing import NamedTuple

import backprop
from backends import Array, Backend
from backprop.arrays.initializers import generator
from backprop.cli.bench.plan import Disagreement, Plan, Row, repeat
from backprop.cli.blas import blas_threads, threads_in_force
from backprop.networks import Network
from backprop.optimizers import SGD
from backprop.reporting.timing import Times, Work, in_turns
from backprop.training import SEGMENT, Trainer

PIXELS, CLASSES = 784, 10
LEARNING_RATE = 0.01  # keeps the widest network from diverging
LARGE = 10_000_000  # hidden units times batch size; larger steps get only three rounds
TOLERANCE = 1e-4  # relative, between the backends' first losses in float32


class Data(NamedTuple):
    """The data of the steps on a backend: samples, labels, and a square matrix for the product."""

    x: Array
    labels: Array
    square: Array


def random_data(plan: Plan, backends: Sequence[Backend], seed: int) -> dict[str, Data]:
    """Return random float32 data by name of the backend, the same for every one."""
    rng = generator(seed)
    x = rng.random((plan.samples, PIXELS), dtype="float32")
    labels = rng.integers(CLASSES, size=plan.samples)
    square = rng.random((plan.square, plan.square), dtype="float32")
    return {each.name: Data(*map(each.asarray, (x, labels, square))) for each in backends}


def steps(
    plan: Plan, hidden: int, batch: int, backends: Sequence[Backend], seed: int, data: Mapping[str, Data]
) -> list[Row]:
    """Time a training step of 784-hidden-10 in float32: a row per backend.

    The step is that of `train`: draw the batch, gather it, both passes, the update. The losses are read
    once per 100 steps. Raises Disagreement if the backends' first losses differ.
    """
    works: dict[str, Work] = {}
    losses: dict[str, float] = {}
    with blas_threads(batch * PIXELS * hidden):
        threads = threads_in_force()
        for backend in backends:
            name, (x, labels, square) = backend.name, data[backend.name]
            net = backprop.TwoLayerNet(PIXELS, hidden, CLASSES, dtype="float32", rng=seed, backend=backend)
            train_on = _stepper(net, x, labels, batch, seed)
            (losses[name],) = train_on(1)
            works[name] = partial(_train, train_on)
            works[_product(name)] = repeat(backend, partial(matmul, square, square))
        _require_same(losses, f"784-{hidden}-10 at batch {batch}")
        rounds = min(3, plan.rounds) if hidden * batch >= LARGE else plan.rounds
        times = in_turns(works, rounds=rounds, block=plan.block)
    case = {"hidden": hidden, "batch": batch, "dtype": "float32", "blas_threads": threads}
    flop = 4 * batch * PIXELS * hidden + 6 * batch * hidden * CLASSES
    reference = backends[0].name
    return [
        case
        | {"backend": name, "of_reference": times.median(name) / times.median(reference)}
        | _rates(times, name, flop / 1e9, 2 * plan.square**3 / 1e9)
        for name in losses
    ]


def _rates(times: Times, name: str, gflop: float, gflop_of_product: float) -> Row:
    seconds, product = times.median(name), times.median(_product(name))
    return {
        "seconds": seconds,
        "gflops": gflop / seconds,
        "peak_gflops": gflop_of_product / product,
        "of_peak": (gflop / seconds) / (gflop_of_product / product),
        "product_seconds": product,
        "rounds": {"step": times.seconds[name], "product": times.seconds[_product(name)]},
    }


def _product(backend: str) -> str:
    return f"{backend}, product"


def _stepper(net: Network, x: Array, t: Array, batch: int, seed: int) -> Callable[[int], list[float]]:
    """Return a function that trains on `count` random batches, at most SEGMENT, and returns their losses."""
    (x, labels), rng = net.prepare("bench", x, t), generator(seed)
    trainer = Trainer(net, SGD(LEARNING_RATE), x, labels, batch)
    return lambda count: trainer.start(rng.integers(x.shape[0], size=(count, batch)))()


def _train(train_on: Callable[[int], list[float]], count: int) -> None:
    for done in range(0, count, SEGMENT):
        train_on(min(SEGMENT, count - done))  # reading the losses waits for the device


def _require_same(losses: Mapping[str, float], where: str) -> None:
    """Raise Disagreement unless all first losses are finite and equal to float32 precision."""
    (reference, expected), *others = losses.items()
    if not math.isfinite(expected):
        raise Disagreement(f"{where} on {reference}: the first loss must be a finite number, got {expected}")
    for name, loss in others:
        if not abs(loss - expected) <= TOLERANCE * abs(expected):
            raise Disagreement(
                f"{where}: the first loss is {loss:.7g} on {name}, {expected:.7g} on {reference}"
            )
