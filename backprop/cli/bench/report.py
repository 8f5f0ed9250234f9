"""The tables of `backprop bench`, at most 80 columns wide."""

import os
import platform
import textwrap
from collections.abc import Sequence
from pathlib import Path

import backprop
from backends import Backend
from backprop.cli.bench.plan import Row, three_digits
from backprop.cli.blas import describe_blas
from backprop.cli.wording import counted, line_width
from backprop.reporting.tables import table

ABOVE_PEAK = (
    "Note: a step above 100% of peak means that the product was slowed down while it was timed, or is too "
    "small (--quick) to reach the peak. Measure again on an idle machine."
)


def device(backend: Backend) -> str:
    """Return a line with a backend's versions and device."""
    line = ", ".join(f"{name} {version}" for name, version in backend.versions().items())
    cpus = counted(os.cpu_count() or 1, "CPU")
    host = f" ({_processor()}, {cpus}), {describe_blas()}" if backend.on_host else ""
    return f"{line} on {backend.device()}{host}"


def _processor() -> str:
    """Return the name of the CPU, as far as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # a system without /proc
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def heading(devices: Sequence[str], why: str, quick: bool) -> str:
    """Return the versions, the devices, and why these backends."""
    lines = [f"backprop {backprop.__version__}, Python {platform.python_version()}", *devices]
    lines.append(f"backends: {why}")
    if quick:
        lines.append("sizes: small (--quick), a trial run, not for quoting")
    return "\n".join(map(_filled, lines))


def gradients_table(rows: Sequence[Row]) -> str:
    """Return the table of both gradients of each network."""
    one = rows[0]
    title = (
        f"Gradients of {one['batch']} samples, {one['dtype']}, {_threads(one)}: ms per call of "
        "backpropagation and of the numerical gradient, and their ratio. Medians; a call of a second or "
        "more is timed once."
    )
    header = ["network", "backend", "method", "backprop", "numerical", "ratio", "max |diff|"]
    cells = [
        [
            row["network"],
            row["backend"],
            row["method"],
            f"{1e3 * row['backprop_seconds']:.3f}",
            f"{1e3 * row['numerical_seconds']:,.1f}",
            f"{row['ratio']:,.0f}",
            f"{row['largest_difference']:.1e}",
        ]
        for row in rows
    ]
    return _section(title, header, cells, rows, "numerical_of_reference", "numerical time")


def steps_table(rows: Sequence[Row], square: int) -> str:
    """Return the table of the training steps, with the rate of a large matrix product as their peak."""
    title = (
        f"Training steps of 784-hidden-10, {rows[0]['dtype']}: ms per step, drawing and gathering the batch "
        f"included, medians. Peak: the rate of a product of two {square} x {square} matrices, timed in "
        "turns with the steps on as many BLAS threads."
    )
    header = ["hidden", "batch", "backend", "threads", "ms", "GFLOP/s", "peak", "of peak"]
    cells = [
        [
            row["hidden"],
            row["batch"],
            row["backend"],
            row["blas_threads"] or "?",
            f"{1e3 * row['seconds']:,.3f}",
            f"{row['gflops']:,.1f}",
            f"{row['peak_gflops']:,.0f}",
            f"{row['of_peak']:.1%}",
        ]
        for row in rows
    ]
    section = _section(title, header, cells, rows)
    return f"{section}\n{_filled(ABOVE_PEAK)}" if any(row["of_peak"] > 1 for row in rows) else section


def job_table(rows: Sequence[Row]) -> str:
    """Return the table of the whole training run."""
    one = rows[0]
    title = (
        f"Training: {one['iterations']:,} iterations of 784-{one['hidden']}-10 at batch {one['batch']}, "
        f"{one['dtype']}, {_threads(one)}, with {one['evaluations']} evaluations of all "
        f"{one['samples']['train']:,} + {one['samples']['test']:,} images of the bundled sample; medians of "
        f"{len(one['rounds'])} runs."
    )
    header = ["backend", "seconds", "iterations/s", "test accuracy"]
    cells = [
        [
            row["backend"],
            f"{row['seconds']:.3f}",
            f"{row['iterations'] / row['seconds']:,.0f}",
            f"{row['test_accuracy']:.4f}",
        ]
        for row in rows
    ]
    return _section(title, header, cells, rows)


def _section(
    title: str,
    header: Sequence[str],
    cells: Sequence[Sequence[object]],
    rows: Sequence[Row],
    ratio: str = "of_reference",
    what: str = "time",
) -> str:
    """Return a title and its table; with several backends, the last column compares them."""
    reference, *others = dict.fromkeys(row["backend"] for row in rows)
    if others:
        header = [*header, f"x {reference}"]
        cells = [[*line, three_digits(row[ratio])] for line, row in zip(cells, rows, strict=True)]
        title += f' "x {reference}": the {what} as a multiple of {reference}\'s.'
    return f"\n{_filled(title)}\n{table(header, cells)}"


def _filled(text: str) -> str:
    return textwrap.fill(text, line_width(), break_on_hyphens=False)


def _threads(row: Row) -> str:
    """Return the number of BLAS threads in words; it is unknown without threadpoolctl."""
    count = row["blas_threads"]
    return f"{count or 'an unknown number of'} BLAS thread{'' if count == 1 else 's'}"
