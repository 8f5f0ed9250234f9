"""What came, in the words of an error: short, and on one line."""

import re
import reprlib
from collections.abc import Iterable
from typing import Any

MOST = 60  # characters of what came
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_whole = reprlib.Repr()
_whole.maxstring = _whole.maxother = _whole.maxlong = 200  # what is longer is cut below, at its end


def describe(value: Any) -> str:
    """What an argument is: its full type name, without "builtins", and its end alone where it is long."""
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return name if len(name) <= MOST else f"…{name[1 - MOST :]}"


def shown(value: Any, most: int = MOST) -> str:
    """The repr of an argument, on one line, cut where it is long.

    >>> shown([1, 2]), shown("a" * 100, 12), shown(10**5000)
    ('[1, 2]', "'aaaaaaaaaa…", 'int of more than 4,000 digits')
    """
    try:
        text = _whole.repr(value)
    except Exception:  # a repr of the user's own may raise anything, and so does that of a very long integer
        text = describe(value) + (" of more than 4,000 digits" if isinstance(value, int) else "")
    return cut(text, most)


def cut(text: str, most: int = MOST) -> str:
    """A text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def listed(names: Iterable[str], most: int = 8) -> str:
    """The first of these names, with an ellipsis where there are more.

    >>> listed(["W1", "b1", "W2"], most=2)
    'W1, b1, …'
    """
    first = [name for name, _ in zip(names, range(most + 1), strict=False)]
    return ", ".join(first[:most] + ["…"] * (len(first) > most))


def is_line(text: str) -> bool:
    """Whether a text is one line that every file can hold: no control characters, no half letters."""
    return not _UNWRITABLE.search(text)
