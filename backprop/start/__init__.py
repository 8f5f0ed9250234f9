"""Signal handling from the first moment of the command: Ctrl-C prints one line even during imports.

This module imports only fast modules, since the guard must be set before the slow ones.
"""

import os
import signal
import sys

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
if hasattr(signal, "SIGHUP"):  # not on Windows
    WORDS[signal.SIGHUP] = "hung up"  # the terminal was closed


def is_command() -> bool:
    """Return whether this process was started as `backprop` or `python -m backprop`."""
    if sys.argv[:1] == ["-m"]:
        return sys.orig_argv[-len(sys.argv)] in ("backprop", "-mbackprop")
    return os.path.basename(sys.argv[0] if sys.argv else "") in ("backprop", "backprop.exe")


def end_at_once(number: int, frame: object = None) -> None:
    """Print one line that names the signal, and exit at once, without cleaning up."""
    newline = "\n" if number == signal.SIGINT and os.isatty(2) else ""  # after the ^C that a terminal shows
    try:
        os.write(2, f"{newline}backprop: {WORDS[signal.Signals(number)]}\n".encode())
    finally:
        os._exit(128 + number)  # 130, 143 and 129, as shells count


def guard() -> None:
    """Make the signals end the process at once. A signal that the parent process ignored stays ignored."""
    for number in WORDS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, end_at_once)


def unguard() -> None:
    """Restore Python's default handlers, since another program may also be named `backprop`."""
    for number in WORDS:
        if signal.getsignal(number) is end_at_once:
            interrupts = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if interrupts else signal.SIG_DFL)
