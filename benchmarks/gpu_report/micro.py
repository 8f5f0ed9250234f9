"""The cost of a launch, of a graph node and of a small product: what the larger figures are made of."""

from collections.abc import Callable
from math import log2

import numpy as np

from backends import Backend, Workspace, find, load
from backprop.layers import Affine, ReLU
from backprop.optimizers import SGD
from backprop.reporting.timing import Work, in_turns
from benchmarks.gpu_report import library
from benchmarks.gpu_report.rows import Recorder, Wrong
from benchmarks.gpu_report.settings import Settings

EMPTY = 'extern "C" __global__ void empty() {}'
NODES = 20  # launches per step of the loop, so that the step's own cost does not count
STEPS = 100  # per call, unless they have more multiply-adds than
WORK = 4e10
SHAPES = [  # batch, inputs, outputs; the first two are those of the job
    (100, 784, 50),
    (100, 50, 10),
    (100, 784, 100),
    (100, 784, 200),
    (256, 256, 256),
    (512, 784, 256),
    (1000, 784, 512),
    (1024, 1024, 1024),
    (100, 4096, 10),  # few multiply-adds, but more summands than DEEP
    (4096, 50, 10),
    (100, 4096, 50),
]
SUMMED = [(1000, 512), (8192, 4096)]  # (rows, columns) of the gradient whose column sums are db
ROWS = (16, 32, 64, 128, 256, 512)  # summed by a thread block


def measure(record: Recorder, settings: Settings) -> None:
    backend = load(settings.backend)
    with record.attempt("micro", "launches"):
        _record(record, "micro", launches(backend), settings)
    for shape in SHAPES if settings.device == "cuda" else SHAPES[1:2]:
        with record.attempt("product", f"{shape}"):
            _record(record, "product", products(backend, *shape), settings)
    for shape in SUMMED if settings.device == "cuda" else [(100, 10)]:
        with record.attempt("sums", f"{shape}"):
            _record(record, "sums", sums(backend, *shape), settings)


def _record(record: Recorder, what: str, works: dict[str, tuple[Work, int]], settings: Settings) -> None:
    times = in_turns({name: work for name, (work, _) in works.items()}, rounds=5, block=settings.block / 5)
    for name, rounds in times.seconds.items():
        for i, taken in enumerate(rounds):
            record(what, name, round=i, seconds=taken / works[name][1])


def launches(backend: Backend) -> dict[str, tuple[Work, int]]:
    """Return the work to time by name, with the number of launches per call."""
    empty, optimizer, ws = _empty(backend), SGD(0.1), Workspace(backend, "float32")
    update = find(backend.name, "float32", optimizer.compute)
    if update is None:
        raise Wrong(f"{backend.name} has no twin of the update")
    parameters, gradients = backend.zeros((4,), "float32"), backend.zeros((4,), "float32")
    rate = backend.asarray(optimizer.learning_rate, "float32")
    return {
        "empty kernel, launched by CuPy": _eager(backend, empty),
        "update of 4 parameters, launched": _eager(
            backend, lambda: update(optimizer, ws, parameters, gradients, rate)
        ),
        "empty kernel in our loop, 1 a step": _looped(backend, empty, 1),
        f"empty kernel in our loop, {NODES} a step": _looped(backend, empty, NODES),
    }


def products(backend: Backend, n: int, inputs: int, outputs: int) -> dict[str, tuple[Work, int]]:
    """Return both passes of a layer of that size in our loop, by our own products and by cuBLAS."""
    rng = np.random.default_rng(0)
    x, W, b, dout = (
        backend.asarray(rng.random(shape, dtype=np.float32))
        for shape in ((n, inputs), (inputs, outputs), (outputs,), (n, outputs))
    )
    affine, relu, ws = Affine(W, b), ReLU(), Workspace(backend, "float32")
    compute = find(backend.name, "float32", affine.compute, relu.compute)
    derive = find(backend.name, "float32", affine.derive, relu.derive)
    if compute is None or derive is None:
        raise Wrong(f"{backend.name} has no twins of Affine and ReLU as one")
    _, saved = compute(affine, ws, x, W, b)
    multiply_adds = n * inputs * outputs
    size = f"{n} x {inputs} x {outputs}, 2^{log2(multiply_adds):.1f}"
    steps = max(1, min(STEPS, int(WORK / (3 * multiply_adds * NODES))))

    def forward() -> None:
        compute(affine, ws, x, W, b)

    def backward() -> None:
        derive(affine, ws, dout, *saved)

    return {
        f"{size}, {pass_.__name__}, {whose}": _looped(backend, in_our_way(pass_, own), NODES, steps)
        for pass_ in (forward, backward)
        for whose, own in (("own", True), ("cuBLAS", False))
    }


def sums(backend: Backend, n: int, m: int) -> dict[str, tuple[Work, int]]:
    """Return the computation of db at that size, for each number of rows per thread block."""
    rng, compute = np.random.default_rng(0), library.bias_backward(backend)
    dout, out = (backend.asarray(rng.random((n, m), dtype=np.float32)) for _ in range(2))
    dz, db = backend.empty((n, m), "float32"), backend.empty((m,), "float32")

    def in_blocks_of(rows: int) -> Callable[[], None]:
        def made() -> None:
            with library.rows_of_a_block(rows):
                compute(dout, out, dz, db)

        return made

    return {
        f"sums of {n} x {m}, {rows} a block": _looped(backend, in_blocks_of(rows), 1, STEPS) for rows in ROWS
    }


def in_our_way(call: Callable[[], object], own: bool) -> Callable[[], None]:
    """Return the call with the choice between own products and cuBLAS fixed, eagerly and in a capture."""

    def made() -> None:
        with library.own_products(own):
            call()

    return made


def _empty(backend: Backend) -> Callable[[], object]:
    if backend.name != "cupy":
        return lambda: None
    kernel = backend.xp.RawKernel(EMPTY, "empty")
    return lambda: kernel((1,), (32,), ())


def _eager(backend: Backend, call: Callable[[], object]) -> tuple[Work, int]:
    def work(n: int) -> None:
        for _ in range(n * NODES):
            call()
        backend.synchronize()

    return work, NODES


def _looped(backend: Backend, call: Callable[[], object], nodes: int, steps: int = STEPS) -> tuple[Work, int]:
    def step(i: int) -> None:
        for _ in range(nodes):
            call()

    run = library.looped(backend, step)

    def work(n: int) -> None:
        for _ in range(n):
            run(steps)
        backend.synchronize()

    return work, steps * nodes
