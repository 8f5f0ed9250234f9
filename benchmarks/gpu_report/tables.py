"""What was measured as text."""

from collections.abc import Iterator
from statistics import median

from backprop.tables import table
from benchmarks.gpu_report.processes import Ending
from benchmarks.gpu_report.readings import CAPTURED, NUMPY, off_losses
from benchmarks.gpu_report.rows import Rows, found, names, seconds
from benchmarks.gpu_report.tests_summary import Tests
from benchmarks.gpu_report.verdicts import Line


def report(rows: Rows, lines: list[Line], endings: dict[str, Ending], tests: Tests) -> Iterator[str]:
    """The tables, one after the other; none where nothing of it was measured."""
    yield from (part for part in (job(rows), big(rows), small(rows), micro(rows)) if part)
    yield f"GPU tests: {tests.in_words()}"
    errors = [f"{row['group']}, {row['name']}: {row['reason']}" for row in found(rows, "error")]
    missing = [f"{row['name']}: {row['reason']}" for row in found(rows, "missing")]
    yield from (
        f"{title}\n" + "\n".join(texts)
        for title, texts in (("Missing", missing), ("Errors", errors))
        if texts
    )
    yield "Groups\n" + table(
        ("", "s", ""), [(name, f"{ending.seconds:.1f}", ending.how) for name, ending in endings.items()]
    )
    yield "Wanted\n" + table(("", "wanted", "measured", "of rounds", ""), [_wanted(line) for line in lines])
    if reasons := [f"{line.what}: {line.reason}" for line in lines if line.reason]:
        yield "Not measured\n" + "\n".join(reasons)


def job(rows: Rows) -> str:
    ours, cells = seconds(rows, "job", CAPTURED), []
    for name in names(rows, "job"):
        times, every = seconds(rows, "job", name), found(rows, "job", name)
        off = off_losses("job", name, NUMPY)(rows)
        cells.append(
            (
                name,
                _cell(seconds(rows, "warm-up", name), ".2f"),
                f"{median(times):.4f}",
                f"{min(times):.4f}",
                f"{max(times):.4f}",
                len(times),
                f"{median(times) / every[0]['iterations'] * 1e6:.1f}",
                f"{median(times) / median(ours):.2f}" if ours else "-",
                f"{every[-1]['accuracy']:.4f}",
                f"{max(off):.0e}" if off else "-",
            )
        )
    header = (
        "the job",
        "warm-up s",
        "s",
        "min",
        "max",
        "rounds",
        "µs/step",
        "of captured",
        "accuracy",
        "losses off by",
    )
    return table(header, cells) if cells else ""


def big(rows: Rows) -> str:
    cells = []
    for name in names(rows, "big"):
        times = seconds(rows, "big", name)
        products = seconds(rows, "big", f"products, {name.split(', ')[1]}")
        ratio = f"{median(times) / median(products):.2f}" if products else "-"
        cells.append((name, *(f"{s * 1e3:.3f}" for s in (median(times), min(times), max(times))), ratio))
    return table(("the big step", "ms", "min", "max", "of products"), cells) if cells else ""


def small(rows: Rows) -> str:
    """What is measured in seconds: the first step, the compiling, the numerical gradients."""
    cells = [
        (f"{what}: {name}", *(f"{s:.3f}" for s in (median(times), min(times), max(times))))
        for what, name in [
            ("warm-up", "our kernels"),
            *((what, name) for what in ("cold start", "numerical") for name in names(rows, what)),
        ]
        if (times := seconds(rows, what, name))
    ]
    return table(("", "s", "min", "max"), cells) if cells else ""


def micro(rows: Rows) -> str:
    cells = [
        (name, *(f"{s * 1e6:.2f}" for s in (median(times), min(times), max(times))))
        for what in ("micro", "product")
        for name in names(rows, what)
        if (times := seconds(rows, what, name))
    ]
    return table(("each", "µs", "min", "max"), cells) if cells else ""


def _cell(values: list[float], form: str) -> str:
    return format(median(values), form) if values else "-"


def _wanted(line: Line) -> tuple[str, ...]:
    if line.measured is None:
        return line.what, line.wanted, "-", "-", line.verdict
    spread = f"{min(line.rounds):.3g} to {max(line.rounds):.3g} ({len(line.rounds)})"
    return line.what, line.wanted, f"{line.measured:.3g}", spread, line.verdict
