"""Ctrl-C, SIGTERM and SIGHUP while a command runs: exceptions, so that results can be kept."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from backprop.start import WORDS, end_at_once

REPEAT_AFTER = 1.0  # seconds, if nothing has caught the interruption
CAN_REPEAT = hasattr(signal, "setitimer")  # not on Windows


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP. Code that cleans up after a KeyboardInterrupt also cleans up after this."""

    def __init__(self, number: int) -> None:
        super().__init__(WORDS[signal.Signals(number)])
        self.number = number


@contextmanager
def as_exceptions() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGINT and Terminated for SIGTERM and SIGHUP inside a `with` block.

    The previous handlers are restored afterwards. A signal that the parent process ignored stays ignored, and
    a handler set by a surrounding program stays in place.
    An exception may get lost in a ctypes callback or in C code that clears errors. It is therefore raised
    again after a second, unless `mark_caught` was called.
    """
    before: dict[signal.Signals, Any] = {}
    ours, hook = (signal.SIG_DFL, signal.default_int_handler, end_at_once), sys.unraisablehook
    if threading.current_thread() is threading.main_thread():  # only the main thread may set handlers
        before = {number: handler for number in WORDS if (handler := signal.getsignal(number)) in ours}

    def hide_interruptions(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            hook(lost)

    try:
        sys.unraisablehook = hide_interruptions
        for number in before:
            signal.signal(number, _raise)
        yield
    finally:
        mark_caught()
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def mark_caught() -> None:
    """Cancel the repetition of an interruption. Code that catches one and goes on must call this."""
    if CAN_REPEAT and signal.getsignal(signal.SIGALRM) is _raise:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


_last = int(signal.SIGINT)  # the signal that ended the command, which SIGALRM repeats


def _raise(number: int, frame: Any) -> NoReturn:
    global _last
    if number in WORDS:
        _last = number
    if CAN_REPEAT:
        signal.signal(signal.SIGALRM, _raise)
        signal.setitimer(signal.ITIMER_REAL, REPEAT_AFTER)
    raise KeyboardInterrupt(WORDS[signal.SIGINT]) if _last == signal.SIGINT else Terminated(_last)
