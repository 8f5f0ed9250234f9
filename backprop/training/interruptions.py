"""Signals during a run, such as Ctrl-C: the first is answered when the running steps are done."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]
NUMBERS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class Interruptions:
    """A context in which a signal waits until `answer` is called, and a second one does not.

    Only signals that the program handles in Python wait; of these, Python itself handles Ctrl-C. What
    they do, when they are answered, is what their own handlers do, for example raise KeyboardInterrupt. An
    exception of a second one has an attribute `at_once`: it may have torn a step.
    Outside the main thread, which receives all signals, and in a forked process, nothing waits.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Handler] = {}  # what answers a signal
        self._replaced: dict[int, Handler] = {}  # what is put back
        self._waiting: tuple[int, FrameType | None] | None = None
        self._process = os.getpid()

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
                if not callable(handler):
                    continue
                outer = getattr(handler, "__self__", None)  # of a run whose callback makes this one
                answers = outer._handlers[number] if isinstance(outer, Interruptions) else handler
                self._handlers[number], self._replaced[number] = answers, handler
                signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._restore()
        finally:
            self._restore()  # what a signal in between has left
        self.answer()

    def _restore(self) -> None:
        """Put the handlers back, unless another has been set meanwhile."""
        for number, handler in self._replaced.items():
            if signal.getsignal(number) == self._receive:
                signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._waiting is None and os.getpid() == self._process:
            self._waiting = number, frame
            return
        self._waiting = None
        try:
            self._handlers[number](number, frame)
        except BaseException as error:
            with suppress(AttributeError):  # an exception may have slots
                error.at_once = True  # type: ignore[attr-defined]
            raise
