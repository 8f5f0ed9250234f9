"""Processes started by mpiexec, one BLAS thread each, which do a job together and report once."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backends.communicators.launch import VARIABLES
from benchmarks.peers.job import CHECKOUT

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
MARK = "report of the ranks: "
LIMIT = 600  # seconds for a job


def mpiexec() -> str | None:
    """Return the mpiexec beside this Python, else that of the path."""
    beside = Path(sys.executable).parent / "mpiexec"
    return str(beside) if beside.exists() else shutil.which("mpiexec")


def why_not() -> str | None:
    """Return why nothing can be measured here, or None."""
    if find_spec("mpi4py") is None:
        return "mpi4py is not installed; pip install mpi4py mpich"
    if mpiexec() is None:
        return "there is no mpiexec; pip install mpich"
    return None


def environment() -> dict[str, str]:
    """Return the variables for the ranks: one BLAS thread, and no trace of an outer launcher."""
    outer = {name for names in VARIABLES.values() for name in names}
    own = {name: value for name, value in os.environ.items() if name not in outer}
    own.pop("BACKPROP_COMMUNICATOR", None)
    return own | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONPATH": str(CHECKOUT)}


def run(ranks: int, job: dict[str, Any]) -> Any:
    """Return what rank 0 reports of a job, the arguments of a function in `rank.py`.

    Raises RuntimeError, with what they printed, if the processes fail.
    """
    command = [str(mpiexec()), "-n", str(ranks), sys.executable, "-m", "benchmarks.ranks.rank"]
    done = subprocess.run(
        [*command, json.dumps(job)],
        cwd=CHECKOUT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    _, mark, report = done.stdout.partition(MARK)
    if done.returncode or not mark:
        raise RuntimeError(f"{ranks} ranks, {job}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(report.partition("\n")[0])
