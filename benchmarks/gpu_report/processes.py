"""The groups one after the other, each in a process of its own that is ended at its limit."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from benchmarks.gpu_report.groups import Group
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.job import CHECKOUT
from benchmarks.peers.one_thread import VARIABLES

DONE = "done"
LEAST = 1.0  # seconds that must be left for a group to begin


class Ending(NamedTuple):
    """How a group ended: "done", or in words why not.  failed: by itself, not for lack of time."""

    how: str
    seconds: float
    failed: bool = False


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
    module = "benchmarks.gpu_report.child"
    command = [sys.executable, "-m", module, name, group.module, str(rows), json.dumps(asdict(settings))]
    one_thread = group.one_thread or settings.device == "cpu"  # in a rehearsal others may want the cores
    start, log = time.monotonic(), rows.with_name(f"{name}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=os.environ | (dict.fromkeys(VARIABLES, "1") if one_thread else {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that it ends together with the processes that it starts
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process)
    taken = time.monotonic() - start
    if status is None:
        return Ending(f"cut off after {limit:.3g} s", taken)
    return Ending(DONE, taken) if status == 0 else Ending(_in_words(status, log), taken, failed=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):  # one that waits for the driver may not die; we go on
        process.wait(5)


def _in_words(status: int, log: Path) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    lines = log.read_text(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
    return f"exit status {status}: {last[:300]}"
