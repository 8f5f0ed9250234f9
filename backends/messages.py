"""The parts of an error that quote a value: short, and on one line."""

import re
import reprlib
from collections.abc import Iterable
from typing import Any

MOST = 60  # characters of a quoted value
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 200  # longer ones are cut below, at the end


def describe(value: Any) -> str:
    """Return the full type name of a value, without "builtins"; if it is long, only its end.

    Parameters
    ----------
    value : object
    """
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return name if len(name) <= MOST else f"…{name[1 - MOST :]}"


def shown(value: Any, most: int = MOST) -> str:
    """Return the repr of a value on one line, cut if it is long.

    Parameters
    ----------
    value : object
    most : int
        Characters.

    Examples
    --------
    >>> from backends import shown
    >>> shown([1, 2]), shown("a" * 100, 12), shown(10**5000)
    ('[1, 2]', "'aaaaaaaaaa…", 'int of more than 4,000 digits')
    """
    try:
        text = _repr.repr(value)
    except Exception:  # a user's repr may raise anything; that of a very long integer raises ValueError
        text = describe(value) + (" of more than 4,000 digits" if isinstance(value, int) else "")
    return cut(text, most)


def cut(text: str, most: int = MOST) -> str:
    """Return a text on one line, cut if it is long.

    Parameters
    ----------
    text : str
    most : int
        Characters.
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return the first names, separated by commas, with an ellipsis if there are more.

    Parameters
    ----------
    names : iterable of str
    most : int
        Number of names.

    Examples
    --------
    >>> from backends import listed
    >>> listed(["W1", "b1", "W2"], most=2)
    'W1, b1, …'
    """
    first = [name for name, _ in zip(names, range(most + 1), strict=False)]
    return ", ".join(first[:most] + ["…"] * (len(first) > most))


def is_line(text: str) -> bool:
    """Return whether a text is one line that any file can hold: no control characters, no lone surrogates.

    Parameters
    ----------
    text : str
    """
    return not _UNWRITABLE.search(text)
