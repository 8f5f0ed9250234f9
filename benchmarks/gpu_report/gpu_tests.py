"""The library's own tests on the GPU: a process for each folder and file of them, so that each fails alone.

An illegal address, say, makes every later call of its process to CUDA fail.
"""

import os
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from benchmarks.gpu_report.processes import DONE, Ending, run, tail
from benchmarks.gpu_report.rows import Recorder, read
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.tests_summary import summary
from benchmarks.peers.job import CHECKOUT

FEWEST = 40.0  # seconds of a unit, if they are left; else half of what is left
MARGIN = 10.0  # seconds, after which a process that was cut off has ended
WORKERS = 8  # at most: each has a CUDA context of its own
FAILED, NONE = 1, 5  # exit statuses of pytest


def measure(record: Recorder, settings: Settings) -> None:
    until = time.monotonic() + settings.limit - MARGIN
    for i, unit in enumerate(units(CHECKOUT / settings.tests)):
        left = until - time.monotonic()
        log = record.path.with_name(f"unit-{i}.log")
        if left < 1:
            ending = Ending("not begun: the time was up", 0.0)
        else:
            command = [sys.executable, "-m", "benchmarks.gpu_report.pytest_unit", str(record.path)]
            command += [record.group, unit, *options(settings)]
            ending = in_pytest(run(command, max(min(left, FEWEST), left / 2), log, environment(settings)))
        record("unit", unit, **ending._asdict())
        if ending.status == NONE:
            continue
        rows = [row for row in read(record.path) if row.get("unit") == unit]
        print(f"  {unit}: {ending.how}, {ending.seconds:.1f} s: {summary(rows).counts()}", flush=True)
        if ending.status not in (0, FAILED, NONE) and log.exists():
            print("".join(f"    {line}\n" for line in tail(log, 30)), end="", flush=True)


def units(path: Path) -> Iterator[str]:
    """The folders with tests, and then the files of tests beside them; or the one file that it is."""
    folders = sorted(sub for sub in path.glob("*/") if any(sub.rglob("test_*.py")))
    for unit in [path] if path.is_file() else [*folders, *sorted(path.glob("test_*.py"))]:
        yield str(unit.relative_to(CHECKOUT) if unit.is_relative_to(CHECKOUT) else unit)


def options(settings: Settings) -> list[str]:
    """What pytest is called with, besides the unit."""
    chosen = ["-q", "-m", "gpu" if settings.device == "cuda" else "not slow", "-p", "no:cacheprovider"]
    # A NumPy that is newer than CuPy may warn CuPy of what goes; to our tests every warning is an error.
    chosen += ["-W", "default::DeprecationWarning"]
    chosen += ["-o", "faulthandler_timeout=30"]  # then it says where a test is that hangs
    workers = min(WORKERS, os.cpu_count() or 1)
    if find_spec("xdist") and workers > 1:
        chosen += ["-p", "xdist.plugin", "-n", str(workers)]
    return chosen


def environment(settings: Settings) -> dict[str, str]:
    # Plugins that happen to be installed know nothing of these tests: one that warns would fail them.
    variables = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if settings.device == "cuda":
        variables["BACKPROP_REQUIRE_GPU"] = "1"  # none of them may pass by being skipped for want of it
    if settings.mnist:
        variables["BACKPROP_DATA_DIR"] = settings.mnist
    return variables


def in_pytest(ending: Ending) -> Ending:
    """What the statuses of pytest mean: the tests that failed have rows of their own."""
    if ending.status == FAILED:
        return ending._replace(how=DONE, failed=False)
    if ending.status == NONE:
        return ending._replace(how="none of these tests", failed=False)
    return ending
