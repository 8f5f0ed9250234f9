"""A command on several ranks: the first one speaks and writes, and after a failure all end together."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from backends.communicators import Communicator, launched

COMMAND = "train"  # the only one that several ranks run together
MARK = "_BACKPROP_RANK"  # set by `--processes`; such a line names a rank's process
_running: list[Communicator] = []


@contextmanager
def silent_beside_the_first(arguments: Sequence[str]) -> Iterator[None]:
    """Discard in a `with` block what ranks beside the first print."""
    if [*arguments[:1]] != [COMMAND] or not launched().rank:
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def begin(communicator: Communicator) -> str:
    """Note the communicator of the command, and return what there is to say of its ranks."""
    _running[:] = [communicator]
    if communicator.size == 1:
        return ""
    if os.environ.get(MARK):
        os.write(2, f"{MARK} {communicator.rank} {os.getpid()}\n".encode())
    processes = ", ".join(map(str, communicator.gather(os.getpid())))
    return f"ranks: {communicator.size} over {type(communicator).__name__.upper()}, processes {processes}"


def must_speak() -> bool:
    """Return whether errors are printed by this rank, although it is not the first: that one is lost."""
    return any(each.rank and each.speaker == each.rank for each in _running)


def say_aloud(line: str) -> None:
    """Print an error of a rank whose output is discarded."""
    if sys.__stderr__ is not None:
        print(line, file=sys.__stderr__, flush=True)


def ended(code: int) -> int:
    """Return the exit code of a command; after a failure on several ranks, end this process instead."""
    for communicator in _running:
        if communicator.failed:
            communicator.leave(code)
    return code
