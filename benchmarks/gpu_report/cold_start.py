"""The first step on a machine that has compiled nothing yet: fresh processes with empty caches."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.gpu_report.processes import DONE, run, tail
from benchmarks.gpu_report.rows import Recorder, Wrong
from benchmarks.gpu_report.settings import Settings

NAME, MODULE, ROUNDS = "ours", "benchmarks.gpu_report.first_step", 3


def measure(record: Recorder, settings: Settings) -> None:
    with record.attempt("cold start", NAME):
        for i in range(ROUNDS):
            found = first_step(settings)
            parts = found.pop("parts")
            record("cold start", NAME, round=i, **found)
            for part, taken in parts.items():
                record("cold start", f"of it {part}", round=i, seconds=taken)


def first_step(settings: Settings) -> dict[str, Any]:
    """Return the times that one run of `first_step.py` prints."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        caches = {"CUPY_CACHE_DIR": folder, "CUDA_CACHE_PATH": folder}  # CuPy's and the driver's
        ending = run([sys.executable, "-m", MODULE, settings.backend], settings.limit, log, caches)
        if ending.how != DONE:
            print(*tail(log, 40), sep="\n")
            raise Wrong(f"the process of the first step: {ending.how}")
        return json.loads(next(line for line in tail(log, 40) if line.startswith("{")))
