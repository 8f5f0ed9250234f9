"""The innermost open tracer of this thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

current: ContextVar[Any] = ContextVar("tracer", default=None)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Run layers without recording them."""
    token = current.set(None)
    try:
        yield
    finally:
        current.reset(token)
