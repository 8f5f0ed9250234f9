"""What is in force inside a `with` block, in this thread: a backend, a precision."""

import warnings
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any


class Block(ContextDecorator):
    """Put a value in force inside a `with` block or a decorated function.

    in_force: the values of the blocks around, the innermost last.  how: the call, for a message.
    It holds nothing that entering changes, so one object may be entered again, in any thread.
    """

    _unused = False  # until __init__ is through

    def __init__(self, in_force: ContextVar[tuple[Any, ...]], value: Any, how: str) -> None:
        self._in_force, self._value, self._how, self._unused = in_force, value, how, True

    def __enter__(self) -> Any:
        self._unused = False
        self._in_force.set((*self._in_force.get(), self._value))

    def __exit__(self, *raised: Any) -> None:
        self._in_force.set(self._in_force.get()[:-1])

    def __call__(self, function: Any) -> Any:
        self._unused = False
        return super().__call__(function)

    def __repr__(self) -> str:
        return f"<{self._how}, in force inside `with {self._how}:`>"

    # Why: a bare call looks as if it had done something, and nothing else can tell that it has not.
    def __del__(self) -> None:
        if self._unused:
            text = f"{self._how} changes nothing by itself: write `with {self._how}:`"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
