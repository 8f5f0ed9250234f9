"""The command from its first moment: what ends it is one line, whatever is still imported.

Nothing here imports what takes time: the guard stands before all of that.
"""

import os
import signal
import sys

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
if hasattr(signal, "SIGHUP"):  # which Windows lacks
    WORDS[signal.SIGHUP] = "hung up"  # the terminal was closed


def is_command() -> bool:
    """Whether this process was started as `backprop` or `python -m backprop`."""
    if sys.argv[:1] == ["-m"]:
        return sys.orig_argv[-len(sys.argv)] in ("backprop", "-mbackprop")
    return os.path.basename(sys.argv[0] if sys.argv else "") in ("backprop", "backprop.exe")


def end_at_once(number: int, frame: object = None) -> None:
    """Say in one line what ended the command, and end it: for moments with nothing to clean up."""
    newline = "\n" if number == signal.SIGINT and os.isatty(2) else ""  # after the ^C that a terminal shows
    try:
        os.write(2, f"{newline}backprop: {WORDS[signal.Signals(number)]}\n".encode())
    finally:
        os._exit(128 + number)  # 130, 143 and 129, as shells count


def guard() -> None:
    """Let the signals end the process at once.  One that the parent process had ignored stays ignored."""
    for number in WORDS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, end_at_once)


def unguard() -> None:
    """Give the signals back what Python does: a program of another kind may only be named `backprop`."""
    for number in WORDS:
        if signal.getsignal(number) is end_at_once:
            interrupts = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if interrupts else signal.SIG_DFL)
