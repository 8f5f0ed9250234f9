"""How precisely products of float32 are computed: IEEE float32, or TF32 where it is asked for."""

from contextvars import ContextVar

from backends.block import Block
from backends.messages import shown

PRECISIONS = ("ieee", "tf32")
_in_blocks: ContextVar[tuple[str, ...]] = ContextVar("backprop_precision", default=("ieee",))


class precision(Block):
    """Compute float32 products in this precision inside a `with` block, in this thread.

    name: "ieee", the default everywhere, or "tf32": factors rounded to 10 bits of mantissa in place of 23,
    several times as fast for large products on a GPU of compute capability 8.0 or later. It allows TF32 and
    changes nothing where there is none: in float64, on the CPU, in products so small that they need no help.
    A training that starts inside keeps it to its end, and its history says so.  Also a decorator.
    Raises ValueError for another name.

    >>> with precision("tf32"):
    ...     current_precision()
    'tf32'
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or name not in PRECISIONS:
            raise ValueError(f"precision: the name must be one of {', '.join(PRECISIONS)}, got {shown(name)}")
        super().__init__(_in_blocks, name, f"precision({name!r})")


def current_precision() -> str:
    """The precision that was asked for here."""
    return _in_blocks.get()[-1]
