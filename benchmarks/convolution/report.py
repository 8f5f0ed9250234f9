"""The measurements as tables, beside the targets."""

from collections.abc import Mapping
from statistics import median

from backprop.reporting.timing import Times
from benchmarks.convolution.book_loop import Book, BookSingle
from benchmarks.convolution.ours import Ours
from benchmarks.convolution.pytorch import ChannelsLast, Eager
from benchmarks.convolution.stages import BOTH, FORWARD
from benchmarks.peers.report import Line, Rows, at_most, ratio, rounds_of

OURS, EAGER, CHANNELS_LAST, BOOK = Ours.name, Eager.name, ChannelsLast.name, Book.name
WITH_MEMORY = (OURS, EAGER, CHANNELS_LAST)  # of which the memory is measured

# By name of the model and threads: at most so much of PyTorch eager.
STEP_TARGETS = {
    ("SimpleConvNet", 1): 0.42,
    ("SimpleConvNet", 2): 0.55,
    ("DeepConvNet", 1): 0.90,
    ("DeepConvNet", 2): 1.00,
}
BOOK_TARGETS = {("SimpleConvNet", 1): 0.15, ("SimpleConvNet", 2): 0.15}  # at most so much of the book's loop
MEMORY_TARGET = 1.00

STEP_HEADER = ("", "ms a step", "min", "of eager", "of channels_last", "of book")
STAGE_HEADER = ("", "ours ms", "min", "eager ms", "min", "channels_last ms", "of eager", "of channels_last")
MEMORY_HEADER = ("", "MiB", "min", "max", "of eager")


def step_rows(times: Times) -> Rows:
    rows = []
    for name, seconds in times.seconds.items():
        ratios = [ratio(times, name, other) for other in (EAGER, CHANNELS_LAST, BOOK)]
        rows.append((name, _ms(times.median(name)), _ms(min(seconds)), *ratios))
    return rows


def stage_rows(name: str, times: Times) -> Rows:
    """Return a row for the forward pass of a stage, and one for both passes."""
    rows = []
    for passes in (FORWARD, BOTH):
        ours, eager, last = (f"{racer}, {passes}" for racer in (OURS, EAGER, CHANNELS_LAST))
        cells = [
            *_median_and_min(times, ours),
            *_median_and_min(times, eager),
            _median_and_min(times, last)[0],
        ]
        rows.append((f"{name}: {passes}", *cells, ratio(times, ours, eager), ratio(times, ours, last)))
    return rows


def memory_rows(grown: Mapping[str, list[float]]) -> Rows:
    times = Times(dict(grown))
    return [
        (name, *(f"{value:,.1f}" for value in (median(mib), min(mib), max(mib))), ratio(times, name, EAGER))
        for name, mib in grown.items()
    ]


def step_lines(model: str, threads: int, times: Times) -> list[Line]:
    """Return the target, and the other ratios beside it."""
    what = f"a step of {model}, {_threads(threads)}: {OURS} /"
    lines = at_most(f"{what} {EAGER}", rounds_of(times, OURS, EAGER), STEP_TARGETS[model, threads])
    for other in (CHANNELS_LAST, BookSingle.name):
        if rounds := rounds_of(times, OURS, other):
            lines.append(Line(f"{what} {other}", "-", median(rounds), rounds, ""))
    if (model, threads) in BOOK_TARGETS:
        lines += at_most(f"{what} {BOOK}", rounds_of(times, OURS, BOOK), BOOK_TARGETS[model, threads])
    return lines


def memory_lines(model: str, threads: int, grown: Mapping[str, list[float]]) -> list[Line]:
    what = f"memory of {model}, {_threads(threads)}: {OURS} / {EAGER}"
    return at_most(what, rounds_of(Times(dict(grown)), OURS, EAGER), MEMORY_TARGET)


def markdown(header: tuple[str, ...], rows: Rows) -> str:
    """Return a table in Markdown."""
    lines = ["|" + "".join(f" {cell} |" if cell != "" else " |" for cell in row) for row in (header, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.2f}"


def _median_and_min(times: Times, name: str) -> tuple[str, str]:
    if name not in times.seconds:
        return "-", "-"
    return _ms(times.median(name)), _ms(min(times.seconds[name]))
