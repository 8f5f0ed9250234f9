"""Scripts of the user, benchmarks/private/*.py, which git ignores: each is run, and its output kept."""

import os
import sys
import time
from pathlib import Path

from benchmarks.gpu_report.processes import DONE, run, tail
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.peers.job import CHECKOUT

FOLDER = CHECKOUT / "benchmarks" / "private"
MARGIN = 10.0  # seconds by which a process that was cut off has ended
LINES = 200  # last lines of the output that are kept


def measure(record: Recorder, settings: Settings, folder: Path = FOLDER) -> None:
    """Run the scripts in the order of their names. Each gets an equal share of the time that is left."""
    scripts = sorted(folder.glob("*.py"))
    if not scripts:
        print(f"  no script in {folder}", flush=True)
    until = time.monotonic() + settings.limit - MARGIN
    environment = {"BACKPROP_DATA_DIR": settings.mnist} if settings.mnist else {}
    # Scripts import this checkout, whatever else is installed.
    environment["PYTHONPATH"] = f"{CHECKOUT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    for i, script in enumerate(scripts):
        if settings.device == "cpu":
            with record.attempt("private", script.name):
                compile(script.read_bytes(), script.name, "exec")
                print(f"  {script.name}: compiled; not run in a rehearsal, as it may need a GPU", flush=True)
            continue
        limit = max(1.0, (until - time.monotonic()) / (len(scripts) - i))
        print(f"  {script.name}, at most {limit:.0f} s:", flush=True)
        log = record.path.with_name(f"private-{i}.log")
        ending = run([sys.executable, str(script)], limit, log, environment, live=True)
        record("private", script.name, **ending._asdict(), output=tail(log, LINES))
        print(f"  {script.name}: {ending.how}, {ending.seconds:.1f} s", flush=True)
        if ending.how != DONE:
            record("error", script.name, of="private", reason=ending.how)
