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
from backprop.reporting.tables import table

WIDTH = 80


def device(backend: Backend) -> str:
    """A backend's versions and what it computes on, in a line."""
    line = ", ".join(f"{name} {version}" for name, version in backend.versions().items())
    host = f" ({_processor()}, {os.cpu_count()} CPUs), {describe_blas()}" if backend.on_host else ""
    return f"{line} on {backend.device()}{host}"


def _processor() -> str:
    """The name of the CPU, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # a system without /proc
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def heading(devices: Sequence[str], why: str, quick: bool) -> str:
    """The software, the devices, and why these."""
    lines = [f"backprop {backprop.__version__}, Python {platform.python_version()}", *devices]
    lines += [f"backends: {why}", *(["sizes: small ones for a trial, no figures to quote"] if quick else [])]
    return "\n".join(map(_filled, lines))


def of_gradients(rows: Sequence[Row]) -> str:
    """Both gradients of each network."""
    one = rows[0]
    title = (
        f"Gradients of {one['batch']} samples, {one['dtype']}, {_threads(one)}: ms a call by "
        "backpropagation and by the numerical gradient, and their ratio. Medians; what takes a second or "
        "more is called once."
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


def of_steps(rows: Sequence[Row], square: int) -> str:
    """The steps of each size, and the rate of a large product that they are held against."""
    title = (
        f"Training steps of 784-hidden-10, {rows[0]['dtype']}: ms a step with drawing and gathering the "
        f"batch, medians. Peak: the rate of a product of two {square} x {square} matrices, in turns with the "
        "steps and on as many BLAS threads."
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
    return _section(title, header, cells, rows)


def of_job(rows: Sequence[Row]) -> str:
    """The whole training."""
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
    """A title and its table; the last column compares the backends, where there are several."""
    reference, *others = dict.fromkeys(row["backend"] for row in rows)
    if others:
        header = [*header, f"x {reference}"]
        cells = [[*line, three_digits(row[ratio])] for line, row in zip(cells, rows, strict=True)]
        title += f' "x {reference}": the {what} as a multiple of {reference}\'s.'
    return f"\n{_filled(title)}\n{table(header, cells)}"


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def _threads(row: Row) -> str:
    """BLAS threads in words; there is no number where threadpoolctl is missing."""
    count = row["blas_threads"]
    return f"{count or 'an unknown number of'} BLAS thread{'' if count == 1 else 's'}"
