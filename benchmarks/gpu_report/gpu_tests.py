"""The library's own tests on the GPU, with a process for each folder and file, so that each fails alone.

After an illegal address, for example, every later CUDA call of the process fails.
"""

import os
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from benchmarks.gpu_report.processes import DONE, Ending, run, tail
from benchmarks.gpu_report.rows import Recorder, found, read
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.tests_summary import NONE, summary
from benchmarks.peers.job import CHECKOUT

COLLECTING = 60.0  # seconds at most for counting the tests of all units
FEWEST = 40.0  # seconds for a unit; half of what is left if that is less
MARGIN = 10.0  # seconds by which a process that was cut off has ended
WORKERS = 8  # at most, since each has its own CUDA context
TESTS_OF_A_WORKER = 8  # with fewer, starting a worker takes longer than it saves
FAILED = 1  # pytest's exit status if a test failed; NONE: if there was no test


def measure(record: Recorder, settings: Settings) -> None:
    until = time.monotonic() + settings.limit - MARGIN
    limit = min(COLLECTING, settings.limit / 4)
    print(f"  counting the tests, at most {limit:.0f} s …", flush=True)
    count = counts(record, settings, limit)
    for i, unit in enumerate(units(CHECKOUT / settings.tests)):
        left, tests = until - time.monotonic(), None if count is None else count.get(unit, 0)
        log = record.path.with_name(f"unit-{i}.log")
        if tests == 0:
            record("unit", unit, **Ending("none of these tests", 0.0, status=NONE)._asdict())
            continue
        if left < 1:
            ending = Ending("not begun: the time was up", 0.0)
        else:
            limit, processes = max(min(left, FEWEST), left / 2), workers(tests)
            said = "tests" if tests is None else f"{tests} tests"
            print(f"  {unit}: {said}, processes: {processes}, at most {limit:.0f} s …", flush=True)
            command = pytest_command(record, unit, options(settings, processes))
            ending = in_pytest(run(command, limit, log, environment(settings)))
        record("unit", unit, **ending._asdict())
        rows = [row for row in read(record.path) if row.get("unit") == unit]
        print(f"  {unit}: {ending.how}, {ending.seconds:.1f} s: {summary(rows).counts()}", flush=True)
        if ending.status not in (0, FAILED, NONE) and log.exists():
            print("".join(f"    {line}\n" for line in tail(log, 30)), end="", flush=True)


def units(path: Path) -> Iterator[str]:
    """Yield the folders with tests, then the test files beside them; or `path` alone if it is a file."""
    folders = sorted(sub for sub in path.glob("*/") if any(sub.rglob("test_*.py")))
    for unit in [path] if path.is_file() else [*folders, *sorted(path.glob("test_*.py"))]:
        yield str(unit.relative_to(CHECKOUT) if unit.is_relative_to(CHECKOUT) else unit)


def counts(record: Recorder, settings: Settings, limit: float) -> dict[str, int] | None:
    """Return the number of tests of each unit, counted in one process; None if that failed."""
    chosen = [*options(settings, 1), "--collect-only"]
    log = record.path.with_name("collect.log")
    run(pytest_command(record, settings.tests, chosen), limit, log, environment(settings))
    for row in found(read(record.path), "counted"):
        files = {Path(file).resolve(): tests for file, tests in row["files"].items()}
        return {
            unit: sum(n for file, n in files.items() if file.is_relative_to((CHECKOUT / unit).resolve()))
            for unit in units(CHECKOUT / settings.tests)
        }
    return None


def pytest_command(record: Recorder, unit: str, chosen: list[str]) -> list[str]:
    module = "benchmarks.gpu_report.pytest_unit"
    return [sys.executable, "-m", module, str(record.path), record.group, unit, *chosen]


def workers(tests: int | None) -> int:
    """Return the number of processes for so many tests.  tests: None if unknown."""
    most = min(WORKERS, os.cpu_count() or 1) if find_spec("xdist") else 1
    return most if tests is None else min(most, tests // TESTS_OF_A_WORKER + 1)


def options(settings: Settings, processes: int) -> list[str]:
    """Return the options of pytest."""
    chosen = ["-q", "-m", "gpu" if settings.device == "cuda" else "not slow", "-p", "no:cacheprovider"]
    # A NumPy newer than CuPy may raise deprecation warnings in CuPy, and our tests turn warnings into errors.
    chosen += ["-W", "default::DeprecationWarning", "-W", "default::FutureWarning"]
    chosen += ["-o", "faulthandler_timeout=30"]  # prints the stack of a test that hangs
    if processes > 1:
        chosen += ["-p", "xdist.plugin", "-n", str(processes)]
    return chosen


def environment(settings: Settings) -> dict[str, str]:
    # A plugin that happens to be installed could fail these tests by a warning.
    variables = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    if settings.device == "cuda":
        variables["BACKPROP_REQUIRE_GPU"] = "1"  # a test skipped for lack of a GPU fails
    if settings.mnist:
        variables["BACKPROP_DATA_DIR"] = settings.mnist
    return variables


def in_pytest(ending: Ending) -> Ending:
    """Return the ending with pytest's exit status in words; failed tests have their own rows."""
    if ending.status == FAILED:
        return ending._replace(how=DONE, failed=False)
    if ending.status == NONE:
        return ending._replace(how="none of these tests", failed=False)
    return ending
