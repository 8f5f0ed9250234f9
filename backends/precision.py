"""How precisely products of float32 are computed: IEEE float32, or TF32 where it is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PRECISIONS = ("ieee", "tf32")
_precision: ContextVar[str] = ContextVar("backprop_precision", default="ieee")


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Compute float32 products in this precision inside a `with` block, in this thread.

    name: "ieee", the default everywhere, or "tf32": factors rounded to 10 bits of mantissa in place of 23,
    several times as fast for large products on a GPU of compute capability 8.0 or later. It allows TF32 and
    changes nothing where there is none: in float64, on the CPU, in products so small that they need no help.
    A training that starts inside keeps it to its end, and its history says so.
    Raises ValueError for another name.

    >>> with precision("tf32"):
    ...     current_precision()
    'tf32'
    """
    if name not in PRECISIONS:
        raise ValueError(f"precision: the name must be one of {', '.join(PRECISIONS)}, got {name!r}")
    token = _precision.set(name)
    try:
        yield
    finally:
        _precision.reset(token)


def current_precision() -> str:
    """The precision that was asked for here."""
    return _precision.get()
