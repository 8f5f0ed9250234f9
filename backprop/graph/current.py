"""The tracer that records, in this thread: the innermost one that is open."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

current: ContextVar[Any] = ContextVar("tracer", default=None)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Run layers without any tracer's seeing it."""
    token = current.set(None)
    try:
        yield
    finally:
        current.reset(token)
