"""What the benchmarks share: the backends, timing that waits for the device, and the closing tables."""

import os
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backprop
from backends import Backend
from backends.testing import backend, pytest_runtest_makereport
from backprop.tables import table

__all__ = ["backend", "pytest_runtest_makereport"]

SLOW = 5.0  # seconds a call, from which on one round has to do
CASE = ("network", "batch", "dtype", "backend")
RESULTS = pytest.StashKey[list[dict[str, Any]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = []


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
            facts, backend=backend.name, device=backend.device(), versions=versions(backend)
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
        "training step, medians": training_steps(results),
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


def training_steps(results: list[dict[str, Any]]) -> str:
    """The time of one step, from that of many."""
    rows = [
        (*(r[name] for name in CASE), f"{r['seconds'] / r['steps'] * 1e6:,.0f}")
        for r in results
        if "steps" in r
    ]
    return table((*CASE, "step µs"), rows) if rows else ""


def software(results: list[dict[str, Any]]) -> str:
    """Device and versions, a line for each backend."""
    lines = {
        f"{r['backend']} on {r['device']}: " + ", ".join(f"{k} {v}" for k, v in r["versions"].items())
        for r in results
    }
    return "\n".join(sorted(lines))
