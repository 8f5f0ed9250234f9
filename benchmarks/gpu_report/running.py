"""The groups run one after the other, each in its own process, which is ended at its limit."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.gpu_report.groups import COMPILING, Group
from benchmarks.gpu_report.processes import Ending, run
from benchmarks.gpu_report.rows import found, read
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.stages import OK
from benchmarks.peers import one_thread

LEAST = 1.0  # seconds that must be left for a group to begin
GROUP_TO_END = 5.0  # seconds for a group to end, after its children
WITHOUT_CUB = {"CUPY_ACCELERATORS": ""}  # CuPy's own reductions; each of CUB's takes seconds to compile


def run_all(
    groups: dict[str, Group],
    settings: Settings,
    budget: float,
    rows: Path,
    report: Callable[[str, Ending], None] = lambda name, ending: None,
    started: float | None = None,
) -> dict[str, Ending]:
    """Run every group within its limit and all of them within the budget; they write to `rows`.

    report: called as each group ends.  started: start of the budget, by `time.monotonic`; now if None.
    """
    endings: dict[str, Ending] = {}
    until = (time.monotonic() if started is None else started) + budget
    for name, group in groups.items():
        left = until - time.monotonic()
        if group.our_kernels and "smoke" in endings and not compiled(rows):
            endings[name] = Ending(f"not begun: smoke failed in {COMPILING!r}", 0.0)
        elif left < LEAST:
            endings[name] = Ending(f"not begun: the budget of {budget:g} s was spent", 0.0)
        else:
            endings[name] = run_group(name, group, settings, min(left, group.limit), rows)
        report(name, endings[name])
    return endings


def compiled(rows: Path) -> bool:
    """Return whether the smoke test could compile our kernels."""
    return any(row["outcome"] == OK for row in found(read(rows), "smoke", COMPILING))


def run_group(name: str, group: Group, settings: Settings, limit: float, rows: Path) -> Ending:
    """Run one group, keeping its output beside `rows` as NAME.log."""
    told = json.dumps(asdict(replace(settings, limit=limit)))
    command = [sys.executable, "-m", "benchmarks.gpu_report.child", name, group.module, str(rows), told]
    environment = dict(WITHOUT_CUB) if group.without_cub else {}
    if group.one_thread or settings.device == "cpu":  # a rehearsal leaves the other cores alone
        environment |= dict.fromkeys(one_thread.VARIABLES, "1")
    if group.live:
        print(f"{name}, at most {limit:.0f} s:", flush=True)
    return run(command, limit, rows.with_name(f"{name}.log"), environment, group.live, GROUP_TO_END)
