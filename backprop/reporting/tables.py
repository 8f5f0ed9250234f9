"""Plain text tables for terminals and logs."""

from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width


def columns(text: str) -> int:
    """Return the columns that a text takes in a terminal: two for a wide character, as in Japanese.

    >>> columns("loss"), columns("損失")
    (4, 4)
    """
    return len(text) + sum(east_asian_width(each) in "WF" for each in text)


def blanks(text: str, width: int) -> str:
    """Return what a text lacks to take `width` columns."""
    return " " * (width - columns(text))


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows under a header, the first column aligned left and the others right.

    >>> print(table(["array", "entries"], [["W1", 39200], ["b1", 50]]))
    array  entries
    W1       39200
    b1          50
    """
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(columns, column)) for column in zip(*lines, strict=True)]
    aligned = []
    for first, *others in lines:
        right = [blanks(cell, width) + cell for cell, width in zip(others, widths[1:], strict=True)]
        aligned.append("  ".join([first + blanks(first, widths[0]), *right]).rstrip())
    return "\n".join(aligned)
