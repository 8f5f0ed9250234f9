"""A process with a time limit: its output is kept, and it ends together with all that it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TextIO

from benchmarks.peers.job import CHECKOUT

DONE = "done"
TO_END = 1.0  # seconds to end its own children after SIGTERM
EVERY = 0.1  # seconds between two looks at its output
# No output is lost in a buffer when it crashes, and Python prints where.
ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
TIED = Path(__file__).with_name("tied.py")


class Ending(NamedTuple):
    """The ending of a process.

    how: "done", or the reason in words.  failed: it failed by itself, not for lack of time.
    """

    how: str
    seconds: float
    failed: bool = False
    status: int | None = None


def run(
    command: Sequence[str],
    limit: float,
    log: Path,
    environment: dict[str, str] | None = None,
    live: bool = False,
    to_end: float = TO_END,
) -> Ending:
    """Run a command for at most `limit` seconds.  log: file of its output.  live: also show it."""
    start, status = time.monotonic(), None
    with log.open("wb") as output, log.open(errors="replace") as printed:
        process = subprocess.Popen(
            [sys.executable, "-E", "-S", str(TIED), str(os.getpid()), *command],
            cwd=CHECKOUT,
            env=os.environ | ENVIRONMENT | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that it ends together with its children
        )
        try:
            status = _wait(process, start + limit, printed if live else None)
        finally:
            _end(process, to_end)
            if live:
                _show(printed)
    taken = time.monotonic() - start
    if status is None:
        return Ending(f"cut off after {limit:.3g} s", taken)
    if status == 0:
        return Ending(DONE, taken, status=0)
    return Ending(_in_words(status, log), taken, failed=True, status=status)


def _wait(process: "subprocess.Popen[bytes]", until: float, printed: TextIO | None) -> int | None:
    """Return the exit status, or None if the process has not ended by then."""
    while (left := until - time.monotonic()) > 0:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(min(left, EVERY) if printed else left)
        if printed:
            _show(printed)
    return process.poll()


def _show(printed: TextIO) -> None:
    sys.stdout.write(printed.read())
    sys.stdout.flush()


def _end(process: "subprocess.Popen[bytes]", to_end: float) -> None:
    # Only the process itself knows children that it started in other sessions, so it is asked first.
    if process.poll() is None:
        _signal(process, signal.SIGTERM, to_end)
    _signal(process, signal.SIGKILL, 5)  # a process that waits for the driver may not die; go on


def _signal(process: "subprocess.Popen[bytes]", number: int, wait: float) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    with suppress(subprocess.TimeoutExpired):
        process.wait(wait)


def _in_words(status: int, log: Path) -> str:
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    last = next((line.strip() for line in reversed(tail(log, 100)) if line.strip()), "it printed nothing")
    return f"exit status {status}: {last[:300]}"


def tail(log: Path, count: int) -> list[str]:
    """Return the last lines of a log."""
    return log.read_text(errors="replace").splitlines()[-count:]
