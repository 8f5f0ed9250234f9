"""A command on several ranks: the first one speaks and writes, and after a failure all end together."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress

from backends import load
from backends.communicators import Communicator, RankFailed, choose_communicator, launched
from backends.communicators.nccl import BY_MPI
from backends.communicators.selection import VARIABLE
from backprop.start import WORDS

COMMAND = "train"  # the only one that several ranks run together
MARK = "_BACKPROP_RANK"  # set by `--processes`; such a line names a rank's process
BROKEN = 3
_running: list[Communicator] = []
_others_wait = False  # until this rank has met them


def own_rank() -> int:
    """Return the number of this process in a run of several; 0 for one that is or wants to be alone."""
    with suppress(ValueError):  # a wrong variable, which the command reports
        return 0 if os.environ.get(VARIABLE) == "alone" else launched().rank
    return 0


@contextmanager
def silent_beside_the_first(arguments: Sequence[str]) -> Iterator[None]:
    """Discard in a `with` block what ranks beside the first print."""
    global _others_wait
    _running.clear()
    is_common = [*arguments[:1]] == [COMMAND] and os.environ.get(VARIABLE) != "alone"
    with suppress(ValueError):
        _others_wait = is_common and launched().size > 1 and launched().launcher in BY_MPI
    if not (is_common and own_rank()):
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


def tell(line: str, code: int) -> None:
    """Tell the other ranks why this one ends, unless they know, also if it has not met them yet.

    code: the exit code. After a signal nobody is met any more, since all may have had it.
    """
    if _others_wait and not _running and code < 128:
        with suppress(ImportError, RuntimeError, ValueError):  # then all ranks lack an MPI
            _running.append(choose_communicator("mpi", load("numpy"), COMMAND))
    for communicator in _running:
        if communicator.size > 1 and not communicator.failed:
            with suppress(RankFailed), communicator.together():
                raise RankFailed(communicator.rank, line)


def code_of(error: RankFailed) -> int:
    """Return the exit code after the failure of another rank: as after a signal if that ended it."""
    word = error.message.rpartition(": ")[2]
    return next((128 + number for number, name in WORDS.items() if name == word), BROKEN)


def must_speak() -> bool:
    """Return whether errors are printed by this rank, although it is not the first: that one is lost."""
    return any(each.rank and each.speaker == each.rank for each in _running)


def have_failed() -> bool:
    """Return whether this is a run on several ranks that has failed."""
    return any(each.failed for each in _running)


def say_aloud(line: str) -> None:
    """Print an error of a rank whose output is discarded."""
    if sys.__stderr__ is not None:
        print(line, file=sys.__stderr__, flush=True)


def ended(code: int) -> int:
    """Return the exit code of a command; after a failure on several ranks, end this process instead."""
    if have_failed():
        _running[0].leave(code)
    return code
