"""The race as a table, beside the targets."""

from statistics import fmean, median, stdev

from backprop.reporting.timing import Times
from benchmarks.peers.report import Line, Rows, ratio, rounds_of
from benchmarks.race.book_loop import TheBook
from benchmarks.race.ours import Ours
from benchmarks.race.pytorch import Eager
from benchmarks.race.racer import Finish

OURS, EAGER, BOOK = Ours.name, Eager.name, TheBook.name
CHAPTER = "a step of the chapter's loop"
HEADER = ("", "steps", "s", "min", "max", "µs a step", "of eager", "of book", "% right", "spread", "least")
TARGETS = {  # by target in percent: at most this multiple of the time of another
    97: {EAGER: 0.40, BOOK: 0.03, CHAPTER: 1350.0},
    98: {EAGER: 0.50},
}

Finishes = dict[str, list[Finish]]


def times_of(finishes: Finishes, steps: list[float]) -> Times:
    """Return the seconds of each run by name, and those of a step of the chapter's loop in each round."""
    return Times(
        {name: [each.seconds for each in runs] for name, runs in finishes.items()} | {CHAPTER: steps}
    )


def rows(finishes: Finishes, times: Times) -> Rows:
    cells: Rows = []
    for name, runs in finishes.items():
        seconds, right = times.seconds[name], [100 * each.accuracy for each in runs]
        spread = f"{stdev(right):.2f}" if len(right) > 1 else "-"
        cells.append(
            (
                name,
                f"{runs[0].steps:,}",
                *(f"{s:.3f}" for s in (median(seconds), min(seconds), max(seconds))),
                f"{median(seconds) / runs[0].steps * 1e6:,.0f}",
                *(ratio(times, name, other) for other in (EAGER, BOOK)),
                f"{fmean(right):.2f}",
                spread,
                f"{min(right):.2f}",
            )
        )
    step = f"{times.median(CHAPTER) * 1e6:,.0f}"
    return [*cells, (CHAPTER, "", "", "", "", step, *[""] * 5)]


def lines(target: int, finishes: Finishes, times: Times) -> list[Line]:
    """Return what must be reached. The accuracy counts only on MNIST."""
    found = []
    for other, limit in TARGETS[target].items():
        if multiples := rounds_of(times, OURS, other):
            measured = median(multiples)
            verdict = "met" if measured <= limit else "MISSED"
            found.append(Line(f"{OURS} / {other}", f"at most {number(limit)}", measured, multiples, verdict))
    right = [100 * each.accuracy for each in finishes[OURS]]
    verdict = "met" if round(fmean(right), 6) >= target else "MISSED"
    return [
        *found,
        Line(f"{OURS}: mean accuracy, %", f"at least {target:.2f}", fmean(right), right, verdict),
    ]


def line_rows(lines: list[Line]) -> Rows:
    return [
        (
            line.what,
            line.wanted,
            number(line.measured),
            f"{number(min(line.rounds))} to {number(max(line.rounds))}",
            line.verdict,
        )
        for line in lines
    ]


def number(value: float) -> str:
    """Return a number with about four digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value >= 10 else f"{value:.3f}"
