"""`backprop train --processes K`: the command started K times by `mpiexec`, whose own words are replaced."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import click

from backprop.cli.command import ARGUMENTS
from backprop.cli.interruptions import mark_caught
from backprop.cli.ranks import MARK
from backprop.networks.tensor_file import NotInstalled

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
CODES = (0, 1, 2, 3, 129, 130, 143)  # of the command
BROKEN = 3
PATIENCE = 3.0  # seconds for the launcher to end
RULE = re.compile(r"-{20,}\s*$")  # Open MPI puts its messages between two of them
OF_MPICH = re.compile(
    r"={20,}|=   |YOUR APPLICATION|This typically|Please see|Abort\(|MPICH: |\[(mpiexec|proxy)"
)
KILLED = re.compile(r"=\s+PID (\d+) RUNNING AT.*?\(signal (\d+)\)", re.DOTALL)
KILLED_RANK = re.compile(r"process\s+rank\s+(\d+).*?exited\s+on\s+signal\s+(\d+)", re.DOTALL)


class Line(NamedTuple):
    """A line that a rank has printed, or its launcher."""

    text: str
    is_error: bool
    is_launchers: bool


def run_processes(context: click.Context, count: int) -> int:
    """Run the command of this context on so many ranks, and return its exit code.

    Raises NotInstalled without mpi4py or `mpiexec`.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = {name: str(max(1, cores // count)) for name in THREADS}
    started = subprocess.Popen(
        [*_launcher(), "-n", str(count), sys.executable, "-m", "backprop", *context.meta[ARGUMENTS]],
        env={**threads, **os.environ, MARK: "1"},
        stdin=subprocess.DEVNULL,  # else the launcher would read what is meant for the next command
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # signals reach the ranks only through `_forward`
    )
    lines: SimpleQueue[Line | None] = SimpleQueue()
    for stream, is_error in ((started.stdout, False), (started.stderr, True)):
        Thread(target=_read, args=(stream, is_error, lines), daemon=True).start()
    ranks: dict[int, int] = {}  # by process
    words: list[str] = []
    interrupted, open_streams = 0, 2
    try:
        while open_streams:
            try:
                line = lines.get()
                if line is None:
                    open_streams -= 1
                elif line.text.startswith(MARK):
                    rank, process = map(int, line.text.split()[1:])
                    ranks[process] = rank
                    if interrupted:  # before this rank was known
                        _forward([process], interrupted)
                elif line.is_launchers:
                    words.append(line.text)
                else:
                    click.echo(line.text, nl=False, err=line.is_error)
            except KeyboardInterrupt as ended:
                if interrupted:
                    raise
                mark_caught()
                interrupted = getattr(ended, "number", signal.SIGINT)
                _forward(ranks, interrupted)
        code = started.wait()
    finally:
        _end(started, ranks)
    if interrupted:
        return 128 + interrupted
    killed = _killed("".join(words), ranks)
    if killed:
        click.echo(f"{context.command_path}: {killed}", err=True)
        return BROKEN
    return code if code in CODES else BROKEN


def _launcher() -> list[str]:
    """Return the beginning of the launcher's command."""
    beside = Path(sys.executable).with_name("mpiexec")
    mpiexec = str(beside) if beside.exists() else shutil.which("mpiexec")
    if mpiexec is None or find_spec("mpi4py") is None:
        missing, cure = "mpi4py" if mpiexec else "mpiexec", 'pip install "backprop-xp[mpi]"'
        raise NotInstalled(f"--processes needs {missing}, which is not installed: {cure}")
    said = subprocess.run([mpiexec, "--version"], capture_output=True, text=True).stdout
    if "Open MPI" not in said and "OpenRTE" not in said:
        return [mpiexec]
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [mpiexec, "--oversubscribe", *["--allow-run-as-root"] * as_root]


def _read(stream: Any, is_error: bool, lines: "SimpleQueue[Line | None]") -> None:
    """Put the lines of a stream into a queue, and None at its end."""
    inside, blank = False, ""  # between two rules; empty lines that may belong to the launcher
    for text in stream:
        is_rule = RULE.match(text) is not None
        if text.isspace() and not inside:
            blank += text
            continue
        is_launchers = inside or is_rule or OF_MPICH.match(text) is not None
        lines.put(Line(text if is_launchers else blank + text, is_error, is_launchers))
        inside, blank = inside ^ is_rule, ""
    lines.put(None)


def _killed(words: str, ranks: dict[int, int]) -> str:
    """Return which rank was killed, if the launcher says so, else ""."""
    if found := KILLED_RANK.search(words):
        rank, number = map(int, found.groups())
    elif (found := KILLED.search(words)) and int(found[1]) in ranks:
        rank, number = ranks[int(found[1])], int(found[2])
    else:
        return ""
    with suppress(ValueError):
        return f"rank {rank} was killed ({signal.Signals(number).name})"
    return f"rank {rank} was killed (signal {number})"


def _end(started: "subprocess.Popen[str]", ranks: Iterable[int]) -> None:
    """End a launcher that still runs, and its ranks: after a second signal, or where printing fails."""
    if started.poll() is None:
        _forward(ranks, signal.SIGKILL)
        started.terminate()  # which a launcher passes on
        try:
            started.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _forward(processes: Iterable[int], number: int) -> None:
    """Send a signal to ranks."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
