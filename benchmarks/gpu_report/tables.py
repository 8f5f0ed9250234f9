"""The report as text tables."""

from collections.abc import Callable, Iterator
from statistics import fmean, median

from backprop.reporting.tables import table
from benchmarks.gpu_report.document import Judgement
from benchmarks.gpu_report.processes import Ending
from benchmarks.gpu_report.readings import CAPTURED, NUMPY, off_losses
from benchmarks.gpu_report.rows import Rows, found, names, seconds
from benchmarks.gpu_report.tests_summary import Tests
from benchmarks.gpu_report.verdicts import NOT_ASKED, Line


def report(rows: Rows, judgement: Judgement, endings: dict[str, Ending]) -> Iterator[str]:
    """Yield the tables one after the other, leaving out those without measurements.

    A table that cannot be made of its rows says so; the others are still printed.
    """
    parts: dict[str, Callable[[], str]] = {
        "smoke": lambda: smoke(rows),
        "the job": lambda: job(rows),
        "the race": lambda: race(rows),
        "the big step": lambda: big(rows),
        "convolution": lambda: convolution(rows),
        "seconds": lambda: small(rows),
        "micro": lambda: micro(rows),
        "products": lambda: products(rows),
        "tests": lambda: tests(judgement.tests) if "tests" in endings else "",
        "missing": lambda: _reasons("Missing", found(rows, "missing")),
        "errors": lambda: _reasons("Errors", found(rows, "error")),
        "groups": lambda: groups(endings),
        "wanted": lambda: wanted(judgement.lines),
    }
    for name, part in parts.items():
        try:
            text = part()
        except Exception as error:  # rows come from other processes
            text = f"FAULT: {name} cannot be printed: {type(error).__name__}: {error}"
            judgement.faults.append(text)
        if text:
            yield text
    if judgement.faults:
        yield "Faults of this report itself; the rows are in its JSON\n" + "\n".join(judgement.faults)


def smoke(rows: Rows) -> str:
    cells = [(row["name"], f"{row['seconds']:.2f}", row["outcome"]) for row in found(rows, "smoke")]
    return table(("smoke", "s", ""), cells) if cells else ""


def tests(found: Tests | None) -> str:
    return f"GPU tests: {found.in_words()}" if found else ""


def _reasons(title: str, rows: Rows) -> str:
    lines = [f"{row['group']}, {row['name']}: {row['reason']}" for row in rows]
    return "\n".join([title, *lines]) if lines else ""


def groups(endings: dict[str, Ending]) -> str:
    cells = [(name, f"{ending.seconds:.1f}", ending.how) for name, ending in endings.items()]
    return "Groups\n" + table(("", "s", ""), cells)


def wanted(lines: list[Line]) -> str:
    """Return the table of targets, without those that were not asked for."""
    asked = [line for line in lines if not (line.reason or "").endswith(NOT_ASKED)]
    if not asked:
        return ""
    text = "Wanted\n" + table(("", "wanted", "measured", "of rounds", ""), [_wanted(line) for line in asked])
    reasons = [f"{line.what}: {line.reason}" for line in asked if line.reason]
    return "\n".join([text, "", "Not measured", *reasons]) if reasons else text


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
        "warm-up",
        "s",
        "min",
        "max",
        "rounds",
        "µs/step",
        "of captured",
        "accuracy",
        "losses off",
    )
    return table(header, cells) if cells else ""


def race(rows: Rows) -> str:
    ours, cells = seconds(rows, "race", CAPTURED), []
    for name in names(rows, "race"):
        times, every = seconds(rows, "race", name), found(rows, "race", name)
        right = [100 * row["accuracy"] for row in every]
        cells.append(
            (
                name,
                _cell(seconds(rows, "warm-up", f"race: {name}"), ".2f"),
                *(f"{s * 1e3:.2f}" for s in (median(times), min(times), max(times))),
                every[0]["steps"],
                f"{median(times) / every[0]['steps'] * 1e6:.1f}",
                f"{median(times) / median(ours):.2f}" if ours else "-",
                f"{fmean(right):.2f}",
                f"{min(right):.2f}",
                f"{every[0]['off']:.0e}",
            )
        )
    header = (
        "the race",
        "warm-up",
        "ms",
        "min",
        "max",
        "steps",
        "µs/step",
        "of ours",
        "right, %",
        "least",
        "off",
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


def convolution(rows: Rows) -> str:
    """Return the table of steps of networks with convolutions."""
    cells = []
    for name in names(rows, "convolution"):
        library, _, net = name.rpartition(", ")
        times, ours = (seconds(rows, "convolution", each) for each in (name, f"{CAPTURED}, {net}"))
        off = off_losses("convolution", name, f"{NUMPY}, {net}", "convolution losses")(rows)
        ratio = f"{median(times) / median(ours):.2f}" if ours else "-"
        spread = (f"{s * 1e6:.1f}" for s in (median(times), min(times), max(times)))
        cells.append((f"{net}, {library}", *spread, ratio, f"{max(off):.0e}" if off else "-"))
    header = ("a step with convolutions", "µs", "min", "max", "of ours", "losses off")
    return table(header, cells) if cells else ""


def small(rows: Rows) -> str:
    """Return the table of times in seconds: first step, compiling, numerical gradients."""
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
        for what in ("step", "micro", "sums")
        for name in names(rows, what)
        if (times := seconds(rows, what, name))
    ]
    return table(("each", "µs", "min", "max"), cells) if cells else ""


def products(rows: Rows) -> str:
    """Return the table of layers by our own products and by cuBLAS, side by side."""
    cells = []
    for pair in dict.fromkeys(name.rpartition(", ")[0] for name in names(rows, "product")):
        own, cublas = (seconds(rows, "product", f"{pair}, {whose}") for whose in ("own", "cuBLAS"))
        ratio = f"{median(own) / median(cublas):.2f}" if own and cublas else "-"
        times = (f"{median(found) * 1e6:.2f}" if found else "-" for found in (own, cublas))
        cells.append((pair, *times, ratio))
    return table(("a layer", "own, µs", "cuBLAS, µs", "own / cuBLAS"), cells) if cells else ""


def _cell(values: list[float], form: str) -> str:
    return format(median(values), form) if values else "-"


def _wanted(line: Line) -> tuple[str, ...]:
    if line.measured is None:
        return line.what, line.wanted, "-", "-", line.verdict
    spread = f"{min(line.rounds):.3g}–{max(line.rounds):.3g}"
    return line.what, line.wanted, f"{line.measured:.3g}", spread, line.verdict
