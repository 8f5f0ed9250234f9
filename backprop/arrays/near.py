"""Suggestions for misspelt names."""

from collections.abc import Iterable
from string import digits


def near(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelt one most likely means, or None.

    Case, dashes and underscores do not matter. A prefix or the initials of a name are enough. A name with
    another number at its end is not misspelt: float16 does not mean float64.

    >>> options = ["--learning-rate", "--batch-size", "--hidden", "--seed"]
    >>> [near(word, options) for word in ("--lr", "--batch", "--hidden_size", "--Sed", "--xyz")]
    ['--learning-rate', '--batch-size', '--hidden', '--seed', None]
    >>> near("apple-ornage", ["apple", "apple-orange"]), near("float16", ["float32", "float64"])
    ('apple-orange', None)
    >>> near("w2", ["W1", "b1", "W2", "b2"])
    'W2'
    """
    import difflib  # here, so that importing the library stays fast

    names, meant = {_plain(name): name for name in known}, _plain(word)
    if not meant:
        return None
    others = [name for name in names if name[-1] not in digits or name.rstrip(digits) != meant.rstrip(digits)]
    found = [
        *[name for name in names if name == meant],
        *[name for name in names if _is_short_for(meant, name)],
        *difflib.get_close_matches(meant, others, n=1),
        *[name for name in names if meant.startswith(f"{name}-")],
    ]
    return names[found[0]] if found else None


def hint(word: object, known: Iterable[str]) -> str:
    """Return "; did you mean Adam?" for the end of an error, or "" if nothing is near."""
    meant = near(word, known) if isinstance(word, str) else None
    return f"; did you mean {meant}?" if meant else ""


def _is_short_for(meant: str, name: str) -> bool:
    initials = "".join(part[:1] for part in name.split("-"))
    return (len(meant) > 2 and name.startswith(meant)) or (len(meant) > 1 and meant == initials)


def _plain(name: str) -> str:
    return name.lstrip("-").replace("_", "-").lower()
