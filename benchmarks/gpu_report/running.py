"""The groups one after the other, each in a process of its own that is ended at its limit."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.gpu_report.groups import Group
from benchmarks.gpu_report.processes import Ending, run
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.one_thread import VARIABLES

LEAST = 1.0  # seconds that must be left for a group to begin
GRACE = 5.0  # for a group, in which it gives the processes that it has started theirs
PLAIN_REDUCTIONS = {"CUPY_ACCELERATORS": ""}  # CuPy's own; those of CUB take seconds to compile, each


def run_all(
    groups: dict[str, Group],
    settings: Settings,
    budget: float,
    rows: Path,
    report: Callable[[str, Ending], None] = lambda name, ending: None,
) -> dict[str, Ending]:
    """Run every group within its limit and all of them within the budget; they write to `rows`.

    report: called as each of them ends.
    """
    endings, start = {}, time.monotonic()
    for name, group in groups.items():
        left = budget - (time.monotonic() - start)
        if left < LEAST:
            endings[name] = Ending(f"not begun: the budget of {budget:g} s was spent", 0.0)
        else:
            endings[name] = run_group(name, group, settings, min(left, group.limit), rows)
        report(name, endings[name])
    return endings


def run_group(name: str, group: Group, settings: Settings, limit: float, rows: Path) -> Ending:
    """One group, with what it prints kept beside `rows` as NAME.log."""
    told = json.dumps(asdict(replace(settings, limit=limit)))
    command = [sys.executable, "-m", "benchmarks.gpu_report.child", name, group.module, str(rows), told]
    environment = dict(PLAIN_REDUCTIONS) if group.plain_reductions else {}
    if group.one_thread or settings.device == "cpu":  # in a rehearsal others may want the cores
        environment |= dict.fromkeys(VARIABLES, "1")
    if group.live:
        print(f"{name}, at most {limit:.0f} s:", flush=True)
    return run(command, limit, rows.with_name(f"{name}.log"), environment, group.live, GRACE)
