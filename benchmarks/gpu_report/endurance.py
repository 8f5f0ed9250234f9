"""Robustness of the report: an output that nobody reads any more, and signals that end it."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class LastingOutput:
    """A stream that discards its text once a write has failed: `| head`, or a full disk."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # Python flushes the buffer at exit, which must not fail either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def flush(self) -> None:
        pass  # write has flushed


@contextmanager
def lasting_output() -> Iterator[None]:
    with redirect_stdout(LastingOutput(sys.stdout)):
        yield


@contextmanager
def signals_as_exits() -> Iterator[None]:
    """Turn these signals into SystemExit(128 + number) in the block, so that `finally` clauses run."""
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, _exit) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, frame: Any) -> None:
    sys.exit(128 + number)
