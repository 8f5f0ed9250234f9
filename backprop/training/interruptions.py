"""Signals during a run, such as Ctrl-C: the first is answered when the running steps are done."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

NUMBERS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class Interruptions:
    """A context in which a signal waits until `answer` is called, and a second one does not.

    Only signals that the program handles in Python wait; of these, Python itself handles Ctrl-C. What
    they do, when they are answered, is what their own handlers do, for example raise KeyboardInterrupt. An
    exception of a second one has an attribute `at_once`: it may have torn a step.
    Outside the main thread, which receives all signals, nothing changes.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._waiting: tuple[int, FrameType | None] | None = None

    @property
    def waiting(self) -> bool:
        """True while a signal waits to be answered."""
        return self._waiting is not None

    def answer(self) -> None:
        """Do what the waiting signal demands, if there is one."""
        if self._waiting is not None:
            (number, frame), self._waiting = self._waiting, None
            self._handlers[number](number, frame)

    def __enter__(self) -> "Interruptions":
        if threading.current_thread() is threading.main_thread():
            for number in NUMBERS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if error is None:
            self.answer()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._waiting is None:
            self._waiting = number, frame
            return
        try:
            self._handlers[number](number, frame)
        except BaseException as error:
            error.at_once = True  # type: ignore[attr-defined]
            raise
