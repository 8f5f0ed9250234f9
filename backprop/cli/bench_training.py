"""Training steps of many sizes, and what the machine could do at best."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import backprop
from backends import Array, Backend
from backprop.cli.bench_plan import Disagreement, Plan, Row, repeat
from backprop.cli.blas import SMALL, blas_threads, threads_in_force
from backprop.initializers import generator
from backprop.networks import Network
from backprop.optimizers import SGD
from backprop.timing import Work, in_turns
from backprop.training import SEGMENT, batch_loop

PIXELS, CLASSES = 784, 10
LEARNING_RATE = 0.01  # keeps the widest network from diverging
LARGE = 10_000_000  # hidden units times samples a batch, from which on three rounds have to do
SAME = 1e-4  # relative: how far float32 may take the loss of the first step apart


def peaks(plan: Plan, backends: Sequence[Backend]) -> list[Row]:
    """The rate of a large float32 product on as many BLAS threads as steps take: rows by threads, backend."""
    rows: list[Row] = []
    square = generator(0).random((plan.square, plan.square), dtype="float32")
    for hidden_values in (0, SMALL):
        with blas_threads(hidden_values):
            threads = threads_in_force()
            if any(row["blas_threads"] == threads for row in rows):
                continue
            works = {}
            for backend in backends:
                matrix = backend.asarray(square)
                works[backend.name] = repeat(backend, partial(backend.xp.matmul, matrix, matrix))
            times = in_turns(works, rounds=plan.rounds, block=plan.block)
        rows += [
            {
                "backend": name,
                "blas_threads": threads,
                "square": plan.square,
                "dtype": "float32",
                "seconds": times.median(name),
                "gflops": 2e-9 * plan.square**3 / times.median(name),
                "rounds": times.seconds[name],
            }
            for name in works
        ]
    return rows


def samples(plan: Plan, backends: Sequence[Backend], seed: int) -> dict[str, tuple[Array, Array]]:
    """Random samples and labels, the same for every backend, on its device."""
    rng = generator(seed)
    x = rng.random((plan.samples, PIXELS), dtype="float32")
    t = rng.integers(CLASSES, size=plan.samples)
    return {backend.name: (backend.asarray(x), backend.asarray(t)) for backend in backends}


def steps(
    plan: Plan,
    hidden: int,
    batch: int,
    backends: Sequence[Backend],
    seed: int,
    data: Mapping[str, tuple[Array, Array]],
    peak_rows: Sequence[Row],
) -> list[Row]:
    """A training step of 784-hidden-10, float32: a row a backend.

    It is that of `train`: draw the batch, gather it, both passes, the update, and the losses read once in 100
    steps.  Raises Disagreement where the backends' first losses differ.
    """
    works: dict[str, Work] = {}
    losses: dict[str, float] = {}
    with blas_threads(hidden * batch):
        threads = threads_in_force()
        for backend in backends:
            net = backprop.TwoLayerNet(PIXELS, hidden, CLASSES, dtype="float32", rng=seed, backend=backend)
            train_on = _stepper(net, *data[backend.name], batch, seed)
            (losses[backend.name],) = train_on(1)
            works[backend.name] = partial(_train, train_on)
        _require_same(losses, f"784-{hidden}-10 at batch {batch}")
        rounds = min(3, plan.rounds) if hidden * batch >= LARGE else plan.rounds
        times = in_turns(works, rounds=rounds, block=plan.block)
    peak = {row["backend"]: row["gflops"] for row in peak_rows if row["blas_threads"] == threads}
    gflop = 1e-9 * (4 * batch * PIXELS * hidden + 6 * batch * hidden * CLASSES)
    return [
        {
            "hidden": hidden,
            "batch": batch,
            "dtype": "float32",
            "backend": name,
            "blas_threads": threads,
            "gflop": gflop,
            "seconds": times.median(name),
            "gflops": gflop / times.median(name),
            "of_peak": gflop / times.median(name) / peak[name],
            "of_reference": times.median(name) / times.median(backends[0].name),
            "rounds": times.seconds[name],
        }
        for name in works
    ]


def _stepper(net: Network, x: Array, t: Array, batch: int, seed: int) -> Callable[[int], list[float]]:
    """A function of count, at most SEGMENT: trains on that many random batches, returns their losses."""
    (x, labels), rng = net.enter("bench", x, t), generator(seed)
    segment = batch_loop(net, SGD(LEARNING_RATE), x, labels, batch, recompute_loss=False)
    return lambda count: segment(rng.integers(x.shape[0], size=(count, batch)))


def _train(train_on: Callable[[int], list[float]], count: int) -> None:
    for done in range(0, count, SEGMENT):
        train_on(min(SEGMENT, count - done))  # reads the losses, and so waits for the device


def _require_same(losses: Mapping[str, float], where: str) -> None:
    """Raise Disagreement unless all first losses are the same finite number, to the precision of float32."""
    (reference, expected), *others = losses.items()
    if not math.isfinite(expected):
        raise Disagreement(f"{where} on {reference}: the first loss must be a finite number, got {expected}")
    for name, loss in others:
        if not abs(loss - expected) <= SAME * abs(expected):
            raise Disagreement(
                f"{where}: the first loss is {loss:.7g} on {name}, {expected:.7g} on {reference}"
            )
