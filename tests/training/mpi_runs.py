"""Programs run on several ranks by the `mpiexec` of this environment, each with a limit of time."""

import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def mpiexec():
    """Return the launcher beside this Python, else that of the PATH, else None."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else shutil.which("mpiexec")


def require_mpi():
    """Skip a test if there is no MPI; fail it if BACKPROP_REQUIRE_MPI says that there must be one."""
    if find_spec("mpi4py") is None or mpiexec() is None:
        reason = "several ranks need mpi4py and an MPI: pip install mpi4py mpich"
        (pytest.fail if os.environ.get("BACKPROP_REQUIRE_MPI") else pytest.skip)(reason)


def launcher(count):
    """Return the beginning of a command that starts so many ranks."""
    said = subprocess.run([mpiexec(), "--version"], capture_output=True, text=True).stdout
    is_open_mpi = "Open MPI" in said or "OpenRTE" in said
    as_root = ["--allow-run-as-root", "--oversubscribe"] if is_open_mpi else []
    return [mpiexec(), *as_root, "-n", str(count)]


def run_ranks(program, count, *arguments, env=None, timeout=60):
    """Run a Python program on so many ranks and return its CompletedProcess; fail if it takes too long.

    count: 1 for a process that is alone, without a launcher.
    """
    require_mpi()
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    settings = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": path, **(env or {})}
    command = [*(launcher(count) if count > 1 else []), sys.executable, str(program), *map(str, arguments)]
    started = subprocess.Popen(
        command,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = started.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGTERM)  # launchers end their ranks
        out, err = started.communicate(timeout=20)
        pytest.fail(f"{count} ranks still ran after {timeout} s:\n{out}\n{err}")
    return subprocess.CompletedProcess(command, started.returncode, out, err)
