"""Ctrl-C, SIGTERM and SIGHUP while a command runs: exceptions, so that what is done can be kept."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from backprop.start import WORDS, end_at_once

AGAIN = 1.0  # seconds after which an interruption that nobody has caught is repeated
CAN_REPEAT = hasattr(signal, "setitimer")  # which Windows lacks


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP.  Whoever tidies up after a KeyboardInterrupt does so here as well."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def as_exceptions() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGINT and Terminated for the others inside a `with` block.

    What the signals did before, they do again afterwards.  One that the parent process had ignored stays
    ignored, and so does one for which another program around this one has a handler of its own.
    An interruption may be raised where exceptions go nowhere, in a callback of ctypes or within C code that
    clears errors: after a second it is raised again, unless it was `caught`.
    """
    before: dict[signal.Signals, Any] = {}
    ours, hook = (signal.SIG_DFL, signal.default_int_handler, end_at_once), sys.unraisablehook
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        before = {number: handler for number in WORDS if (handler := signal.getsignal(number)) in ours}

    def without_interruptions(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            hook(lost)

    try:
        sys.unraisablehook = without_interruptions
        for number in before:
            signal.signal(number, _raise)
        yield
    finally:
        caught()
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def caught() -> None:
    """Take an interruption as caught: to be called by whoever catches it and goes on for a while."""
    if CAN_REPEAT and signal.getsignal(signal.SIGALRM) is _raise:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


_last = int(signal.SIGINT)  # what ended the command, which SIGALRM repeats


def _raise(number: int, frame: Any) -> NoReturn:
    global _last
    if number in WORDS:
        _last = number
    if CAN_REPEAT:
        signal.signal(signal.SIGALRM, _raise)
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    raise KeyboardInterrupt if _last == signal.SIGINT else Terminated(_last)
