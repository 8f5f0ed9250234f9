"""What the benchmarks share: the backends, timing that waits for the device, and the closing tables."""

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

collect_ignore = ["private"]  # scripts of one's own, see README.md
SLOW = 5.0  # seconds a call, from which on one round has to do
CASE = ("network", "batch", "dtype", "backend")
RESULTS = pytest.StashKey[list[dict[str, Any]]]()
TABLES = pytest.StashKey[dict[str, tuple[tuple[str, ...], list[Any]]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = []
    config.stash[TABLES] = {}


@pytest.fixture
def timed(backend: Backend, benchmark: Any, pytestconfig: pytest.Config) -> Callable[..., None]:
    """timed(function, rounds=…, **facts): time function() until the device has done all of it.

    One call comes first and is not counted: the warm-up.  rounds: how often it is measured, once where the
    warm-up was slow.  iterations: calls a round.  check: judges what a call returned, before and after.
    facts: what was measured, kept with the times; --benchmark-json holds them as "extra_info".
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
    """Something to be timed in turns with others.

    what: its name.  by: the numerical derivative that it takes.  check: judges what each call returned.
    calls: how many in one turn.
    """

    what: str
    by: str
    function: Callable[[], Any]
    check: Callable[[Any], None]
    calls: int = 1


@pytest.fixture
def in_turns(backend: Backend, benchmark: Any, pytestconfig: pytest.Config) -> Callable[..., None]:
    """in_turns(cases, rounds=…, **facts): time all cases one after the other, then all of them again, …

    For ratios: what slows the machine down for some seconds slows down all of them. One round comes first and
    is not counted; there the memory is measured that each takes at its peak. The median is that of all calls.
    """

    def run(cases: list[Case], *, rounds: int, **facts: Any) -> None:
        seconds: dict[tuple[str, str], list[float]] = {(case.what, case.by): [] for case in cases}
        peaks: dict[tuple[str, str], int] = {}

        def measure_peaks() -> None:
            for case in cases:
                tracemalloc.start()  # NumPy tells it of its arrays; a GPU's are not seen
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
    """works_in_turns(works, rounds=…, block=…): what `backprop.reporting.timing.in_turns` says of the works.

    None under --benchmark-disable, where each of them is called once.
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
    """closing_table(title, header, rows): print these rows at the end, below those of the same title."""

    def add(title: str, header: tuple[str, ...], rows: list[Any]) -> None:
        pytestconfig.stash[TABLES].setdefault(title, (header, []))[1].extend(rows)

    return add


def versions(backend: Backend) -> dict[str, str]:
    """The software that the times depend on."""
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
    """Numerical against backpropagated gradients, where both were timed."""
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
    """Each check beside the black box by the same method, and that beside the book's loop."""
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
    """A share as 1/n where it is a small one, else as a number."""
    return f"1/{reference / seconds:,.0f}" if seconds < reference / 2.0 else f"{seconds / reference:.2f}"


def training_steps(results: list[dict[str, Any]]) -> str:
    """The time of one step, from that of many."""
    case = ("network", "optimizer", *CASE[1:])
    rows = [
        (*(r[name] for name in case), f"{r['seconds'] / r['steps'] * 1e6:,.0f}")
        for r in results
        if "steps" in r
    ]
    return table((*case, "step µs"), rows) if rows else ""


def software(results: list[dict[str, Any]]) -> str:
    """Device and versions, a line for each backend."""
    lines = {
        f"{r['backend']} on {r['device']}: " + ", ".join(f"{k} {v}" for k, v in r["versions"].items())
        for r in results
    }
    return "\n".join(sorted(lines))
