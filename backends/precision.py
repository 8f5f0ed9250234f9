"""The precision of float32 products: IEEE float32, or TF32 on request."""

from contextvars import ContextVar

from backends.block import Block
from backends.messages import shown

PRECISIONS = ("ieee", "tf32")
_in_blocks: ContextVar[tuple[str, ...]] = ContextVar("backprop_precision", default=("ieee",))


class precision(Block):
    """Compute float32 products in this precision inside a `with` block, in this thread.

    Also a decorator. A training run that starts inside keeps the precision to its end, and its history
    records it.

    Parameters
    ----------
    name : {"ieee", "tf32"}
        "ieee" is the default. "tf32" rounds factors to 10 bits of mantissa instead of 23, which makes
        large products several times as fast on a GPU of compute capability 8.0 or later. It is a
        permission: float64, the CPU, older GPUs and small products ignore it.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from backends import current_precision
    >>> from backprop import precision
    >>> with precision("tf32"):
    ...     current_precision()
    'tf32'
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or name not in PRECISIONS:
            raise ValueError(f"precision: name must be one of {', '.join(PRECISIONS)}, got {shown(name)}")
        super().__init__(_in_blocks, name, f"precision({name!r})")


def current_precision() -> str:
    """Return the current precision of float32 products."""
    return _in_blocks.get()[-1]
