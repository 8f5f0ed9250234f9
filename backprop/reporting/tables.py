"""Plain text tables for terminals and logs."""

from collections.abc import Sequence
from typing import Any


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows under a header, the first column aligned left and the others right.

    >>> print(table(["array", "entries"], [["W1", 39200], ["b1", 50]]))
    array  entries
    W1       39200
    b1          50
    """
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    )
