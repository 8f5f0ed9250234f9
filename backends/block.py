"""A value that holds inside a `with` block, per thread: a backend, a precision."""

import warnings
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any


class Block(ContextDecorator):
    """A context manager and decorator that makes a value current.

    in_force: values of the enclosing blocks, the innermost last.  how: the call, for messages.
    Entering changes nothing in the object, so it may be entered again, in any thread.
    """

    _unused = False  # until __init__ has finished

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

    # A bare call looks as if it took effect, and only the deletion shows that the object was never used.
    def __del__(self) -> None:
        if self._unused:
            text = f"{self._how} has no effect by itself: write `with {self._how}:`"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
