"""Fixtures of the benchmarks: backends, timing that waits for the device, and closing tables."""

import os
import platform
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import pytest

import backprop
from backends import Backend
from backends.testing import backend, pytest_runtest_makereport
from backprop.reporting.tables import table
from backprop.reporting.timing import Times, Work
from backprop.reporting.timing import in_turns as time_in_turns

__all__ = ["backend", "pytest_runtest_makereport"]

collect_ignore = ["private"]  # private scripts, see README.md
SLOW = 5.0  # seconds per call above which one round is enough
CASE = ("network", "batch", "dtype", "backend")
RESULTS = pytest.StashKey[list[dict[str, Any]]]()
TABLES = pytest.StashKey[dict[str, tuple[tuple[str, ...], list[Any]]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = []
    config.stash[TABLES] = {}


@pytest.fixture
def timed(backend: Backend, benchmark: Any, pytestconfig: pytest.Config) -> Callable[..., None]:
    """A function `timed(function, rounds=…, **facts)` that times function() until the device has finished.

    One uncounted call warms up.  rounds: number of measurements, one if the warm-up was slow.  iterations:
    calls per round.  check: checks the result of a call, before and after timing.  facts: a description kept
    with the times; --benchmark-json has it as "extra_info".
    """

    def run(
        function: Callable[[], Any],
        *,
        rounds: int,
        iterations: int = 1,
        check: Callable[[Any], None] = lambda result: None,
        **facts: Any,
    ) -> None:
        def call() -> Any:
            result = function()
            backend.synchronize()
            return result

        benchmark.extra_info.update(
            facts,
            backend=backend.name,
            device=backend.device(),
            precision=backend.precision(facts.get("dtype", "float32")),
            versions=versions(backend),
        )
        if benchmark.enabled:
            start = time.perf_counter()
            check(call())
            rounds = 1 if time.perf_counter() - start > SLOW else rounds
        check(benchmark.pedantic(call, rounds=rounds, iterations=iterations))
        if benchmark.enabled:
            seconds = benchmark.stats.stats.median
            pytestconfig.stash[RESULTS].append({**benchmark.extra_info, "seconds": seconds})

    return run


@dataclass
class Case:
    """A function that is timed in turns with others.

    what: its name.  by: the numerical derivative that it uses.  check: checks the result of each call.
    calls: number of calls per turn.
    """

    what: str
    by: str
    function: Callable[[], Any]
    check: Callable[[Any], None]
    calls: int = 1


@pytest.fixture
def in_turns(backend: Backend, benchmark: Any, pytestconfig: pytest.Config) -> Callable[..., None]:
    """A function `in_turns(cases, rounds=…, **facts)` that times all cases in turn, round after round.

    This makes ratios reliable: a slow phase of the machine slows all cases down. An uncounted first round
    measures the peak memory of each case. The median is that of all calls.
    """

    def run(cases: list[Case], *, rounds: int, **facts: Any) -> None:
        seconds: dict[tuple[str, str], list[float]] = {(case.what, case.by): [] for case in cases}
        peaks: dict[tuple[str, str], int] = {}

        def measure_peaks() -> None:
            for case in cases:
                tracemalloc.start()  # sees NumPy's arrays, but none on a GPU
                case.check(case.function())
                peaks[case.what, case.by] = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()

        def turn() -> None:
            for case in cases:
                for _ in range(case.calls):
                    start = time.perf_counter()
                    result = case.function()
                    backend.synchronize()
                    seconds[case.what, case.by].append(time.perf_counter() - start)
                    case.check(result)

        if benchmark.enabled:
            measure_peaks()
        benchmark.pedantic(turn, rounds=rounds)
        benchmark.extra_info.update(
            facts, backend=backend.name, device=backend.device(), versions=versions(backend)
        )
        if benchmark.enabled:
            timed = [
                {"check": what, "by": by, "seconds": median(of_case), "peak_bytes": peaks[what, by]}
                for (what, by), of_case in seconds.items()
            ]
            pytestconfig.stash[RESULTS].extend({**benchmark.extra_info, **result} for result in timed)
            benchmark.extra_info["cases"] = timed

    return run


@pytest.fixture
def works_in_turns(benchmark: Any) -> Callable[..., Times | None]:
    """A function `works_in_turns(works, rounds=…, block=…)` that times works by `timing.in_turns`.

    It returns None under --benchmark-disable, where each is called once.
    """

    def run(works: dict[str, Work], *, rounds: int, block: float) -> Times | None:
        measured = []

        def turns() -> None:
            if benchmark.enabled:
                measured.append(time_in_turns(works, rounds=rounds, block=block))
                return
            for work in works.values():
                work(1)

        benchmark.pedantic(turns, rounds=1)
        if not measured:
            return None
        benchmark.extra_info["seconds a call"] = measured[0].seconds
        return measured[0]

    return run


@pytest.fixture
def closing_table(pytestconfig: pytest.Config) -> Callable[..., None]:
    """A function `closing_table(title, header, rows)` that prints rows at the end, grouped by title."""

    def add(title: str, header: tuple[str, ...], rows: list[Any]) -> None:
        pytestconfig.stash[TABLES].setdefault(title, (header, []))[1].extend(rows)

    return add


def versions(backend: Backend) -> dict[str, str]:
    """Return the versions of the software that the times depend on."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "backprop": backprop.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        **backend.versions(),
        "blas": f"{blas['name']} {blas['version']}",
        "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "unset"),
    }


@pytest.hookimpl(trylast=True)  # below pytest-benchmark's own tables
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.getoption("benchmark_disable"):
        terminalreporter.write_line("--benchmark-disable: every benchmark ran once, nothing was timed")
    results = config.stash[RESULTS]
    for title, text in {
        "numerical and backpropagated gradient, medians": gradients(results),
        "gradient checks, medians": gradient_checks(results),
        "training step, medians": training_steps(results),
        **{title: table(*rows) for title, rows in config.stash[TABLES].items()},
        "measured with": software(results),
    }.items():
        if text:
            terminalreporter.section(title)
            terminalreporter.write_line(text)


def gradients(results: list[dict[str, Any]]) -> str:
    """Tabulate numerical against backpropagated gradients, where both were timed."""
    timed = {(*(r[name] for name in CASE), r["method"]): r["seconds"] for r in results if "method" in r}
    rows = []
    for (*case, method), numerical in timed.items():
        backpropagation = timed.get((*case, "backprop"))
        if method != "backprop" and backpropagation:
            times = f"{backpropagation * 1e6:,.0f}", f"{numerical * 1e3:,.1f}"
            rows.append((*case, method, *times, f"{numerical / backpropagation:,.0f}"))
    header = (*CASE, "method", "backprop µs", "numerical ms", "ratio")
    return table(header, rows) if rows else ""


def gradient_checks(results: list[dict[str, Any]]) -> str:
    """Tabulate each check against the black box by the same method, and against the book's loop."""
    timed = {(r["backend"], r["check"], r["by"]): r for r in results if "check" in r}
    rows = []
    for (name, what, by), result in timed.items():
        references = [timed.get((name, reference, by)) for reference in ("black box", "the book's loop")]
        ratios = [as_ratio(result["seconds"], r["seconds"]) if r else "-" for r in references]
        peak = f"{result['peak_bytes'] / 2**20:,.1f}" if name == "numpy" else "-"
        rows.append((what, name, by, f"{result['seconds'] * 1e3:,.1f}", *ratios, peak))
    header = ("what", "backend", "method", "ms", "of the black box", "of the book's loop", "peak MiB")
    return table(header, rows) if rows else ""


def as_ratio(seconds: float, reference: float) -> str:
    """Return a ratio as text: 1/n if it is small, else as a number."""
    return f"1/{reference / seconds:,.0f}" if seconds < reference / 2.0 else f"{seconds / reference:.2f}"


def training_steps(results: list[dict[str, Any]]) -> str:
    """Tabulate the time per step."""
    case = ("network", "optimizer", *CASE[1:])
    rows = [
        (*(r[name] for name in case), f"{r['seconds'] / r['steps'] * 1e6:,.0f}")
        for r in results
        if "steps" in r
    ]
    return table((*case, "step µs"), rows) if rows else ""


def software(results: list[dict[str, Any]]) -> str:
    """Return device and versions, a line per backend."""
    lines = {
        f"{r['backend']} on {r['device']}: " + ", ".join(f"{k} {v}" for k, v in r["versions"].items())
        for r in results
    }
    return "\n".join(sorted(lines))
