"""The first step on a machine that has compiled nothing yet: fresh processes with empty caches."""

import json
import subprocess
import sys
import tempfile
from os import environ

from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings

NAME, MODULE, ROUNDS = "ours", "benchmarks.gpu_report.first_step", 3


def measure(record: Recorder, settings: Settings) -> None:
    with record.attempt("cold start", NAME):
        for i in range(ROUNDS):
            record("cold start", NAME, round=i, **first_step(settings.backend))


def first_step(backend: str) -> dict[str, float]:
    """What `first_step.py` says, run once."""
    with tempfile.TemporaryDirectory() as folder:  # CuPy's cache, and that of the driver
        caches = {"CUPY_CACHE_DIR": folder, "CUDA_CACHE_PATH": folder}
        done = subprocess.run(
            [sys.executable, "-m", MODULE, backend], env=environ | caches, stdout=subprocess.PIPE, text=True
        )
    if done.returncode:
        raise RuntimeError(f"the process of the first step ended with status {done.returncode}")
    return json.loads(done.stdout)
