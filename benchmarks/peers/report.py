"""The measurements as tables, beside the targets."""

from statistics import median
from typing import Any, NamedTuple, TypeAlias

from backprop.reporting.timing import Times
from benchmarks.peers.book_loop import Book
from benchmarks.peers.ours import Ours, OursByDefault
from benchmarks.peers.pytorch import Eager, EagerAhead
from benchmarks.peers.registry import BY_DEFAULT, PEERS
from benchmarks.peers.regularized import EagerRegularized, OursRegularized
from benchmarks.peers.steps import PEAK, PEAK_SIZE, PRODUCTS, WITH_LOSS, Cell
from benchmarks.peers.with_jax import Scan

OURS, BOOK, EAGER = Ours.name, Book.name, Eager.name
Rows: TypeAlias = list[tuple[Any, ...]]

# The first line tells whether the peers are as fast as on another machine, since a badly written peer or a
# badly built library is easily beaten. Measured on a Sapphire Rapids core with PyTorch 2.13.
BASELINE, BASELINE_TOLERANCE = 1.36, 0.15
STEP_TARGETS = {BOOK: 0.30, EAGER: 0.41, EagerAhead.name: 0.41, Scan.name: 0.88}
JOB_TARGETS = {BOOK: 0.24, EAGER: 0.54, Scan.name: 0.68}
DEFAULT_JOB_TARGET = 0.42
REGULARIZED_TARGET = 0.60
GRID_OF_EAGER, GRID_OF_PRODUCTS = 1.05, 1.20
PRODUCTS_COUNT_FROM = Cell(512, 1000)

STEP_HEADER = ("", "step µs", "of book", "of eager", "step + loss µs", "of book", "of eager")
REGULARIZED_HEADER = ("", "step µs", "of eager")
GRID_HEADER = ("", "hidden", "batch", "ms a step", "GFLOP/s", "of peak", "of eager", "of products")
JOB_HEADER = ("", "s", "min", "max", "cpu s", "of book", "of eager", "train", "test", "peak MiB")
WANTED_HEADER = ("", "wanted", "measured", "rounds", "")


class Line(NamedTuple):
    """A ratio, its target, the value of each round, and whether the median meets the target."""

    what: str
    wanted: str
    measured: float
    rounds: list[float]
    verdict: str


def ratio(times: Times, name: str, reference: str) -> str:
    """Return the ratio of two times as a cell, if both were measured."""
    measured = {name, reference} <= times.seconds.keys()
    return f"{times.ratio(name, reference):.2f}" if measured else "-"


def step_rows(times: Times) -> Rows:
    rows = []
    for name in [name for name in times.seconds if not name.endswith(WITH_LOSS)]:
        row: list[Any] = [name]
        for suffix in ("", WITH_LOSS):
            row += [f"{times.median(name + suffix) * 1e6:,.0f}"]
            row += [ratio(times, name + suffix, other + suffix) for other in (BOOK, EAGER)]
        rows.append(tuple(row))
    return rows


def regularized_rows(times: Times) -> Rows:
    return [
        (name, f"{times.median(name) * 1e6:,.0f}", ratio(times, name, EagerRegularized.name))
        for name in times.seconds
    ]


def grid_rows(cell: Cell, times: Times) -> Rows:
    peak = 2 * PEAK_SIZE**3 / times.median(PEAK)
    rows = []
    for name in [name for name in times.seconds if name != PEAK]:
        speed = cell.flops / times.median(name)
        figures = f"{times.median(name) * 1e3:,.3f}", f"{speed / 1e9:,.0f}", f"{speed / peak:.0%}"
        ratios = [ratio(times, name, other) for other in (EAGER, PRODUCTS)]
        rows.append((name, cell.hidden, cell.batch_size, *figures, *ratios))
    return rows


def job_times(rounds: list[dict[str, Any]]) -> Times:
    """Return the seconds of the whole job by name, from the reports of its processes."""
    names = sorted({r["name"] for r in rounds}, key=[*PEERS, *BY_DEFAULT].index)
    return Times({name: [r["seconds"] for r in rounds if r["name"] == name] for name in names})


def job_rows(rounds: list[dict[str, Any]]) -> Rows:
    times, rows = job_times(rounds), []
    for name, seconds in times.seconds.items():
        mine = [r for r in rounds if r["name"] == name]
        cpu = median(r["cpu_seconds"] for r in mine)
        figures = [f"{s:.2f}" for s in (median(seconds), min(seconds), max(seconds), cpu)]
        ratios = [ratio(times, name, other) for other in (BOOK, EAGER)]
        accuracies = [f"{median(r[key] for r in mine):.4f}" for key in ("train", "test")]
        peaks = [r["peak_mib"] for r in mine if r["peak_mib"] is not None]
        rows.append((name, *figures, *ratios, *accuracies, f"{median(peaks):,.0f}" if peaks else "-"))
    return rows


def rounds_of(times: Times, name: str, reference: str) -> list[float]:
    """Return the ratio of two times in each round; none if one of them was not measured."""
    pairs = zip(times.seconds.get(name, []), times.seconds.get(reference, []), strict=False)
    return [mine / theirs for mine, theirs in pairs]


def at_most(what: str, rounds: list[float], limit: float) -> list[Line]:
    if not rounds:
        return []
    measured = median(rounds)
    return [Line(what, f"at most {limit:.2f}", measured, rounds, "met" if measured <= limit else "MISSED")]


def step_lines(times: Times) -> list[Line]:
    lines = []
    if baseline := rounds_of(times, BOOK, EAGER):
        measured, wanted = median(baseline), f"{BASELINE:.2f} ± {BASELINE_TOLERANCE:.2f}"
        same = abs(measured - BASELINE) <= BASELINE_TOLERANCE
        verdict = "reproduced" if same else "NOT reproduced"
        lines.append(Line(f"baseline: {BOOK} / {EAGER}, step", wanted, measured, baseline, verdict))
    for other, limit in STEP_TARGETS.items():
        lines += at_most(f"step: {OURS} / {other}", rounds_of(times, OURS, other), limit)
    return lines


def job_lines(rounds: list[dict[str, Any]]) -> list[Line]:
    times, lines = job_times(rounds), []
    for other, limit in JOB_TARGETS.items():
        lines += at_most(f"job: {OURS} / {other}", rounds_of(times, OURS, other), limit)
    default = OursByDefault.name
    return lines + at_most(f"job: {default} / {EAGER}", rounds_of(times, default, EAGER), DEFAULT_JOB_TARGET)


def regularized_lines(times: Times) -> list[Line]:
    names = OursRegularized.name, EagerRegularized.name
    return at_most(f"step: {' / '.join(names)}", rounds_of(times, *names), REGULARIZED_TARGET)


def grid_lines(cell: Cell, times: Times) -> list[Line]:
    where = f"hidden {cell.hidden}, batch {cell.batch_size}: {OURS}"
    lines = at_most(f"{where} / {EAGER}", rounds_of(times, OURS, EAGER), GRID_OF_EAGER)
    smallest = PRODUCTS_COUNT_FROM
    if cell.hidden >= smallest.hidden and cell.batch_size >= smallest.batch_size:
        lines += at_most(f"{where} / {PRODUCTS}", rounds_of(times, OURS, PRODUCTS), GRID_OF_PRODUCTS)
    return lines


def line_rows(lines: list[Line]) -> Rows:
    rows = []
    for line in lines:
        spread = f"{min(line.rounds):.2f} to {max(line.rounds):.2f}"
        rows.append((line.what, line.wanted, f"{line.measured:.2f}", spread, line.verdict))
    return rows
