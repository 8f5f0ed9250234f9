"""Which name is meant by one that does not exist."""

import difflib
from collections.abc import Iterable


def near(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelt one stands for; None where there is none.

    Capitals, dashes and underscores make no difference. A beginning of the name will do, or its initials.

    >>> options = ["--learning-rate", "--batch-size", "--hidden", "--seed"]
    >>> [near(word, options) for word in ("--lr", "--batch", "--hidden_size", "--Sed", "--xyz")]
    ['--learning-rate', '--batch-size', '--hidden', '--seed', None]
    """
    names, meant = {_plain(name): name for name in known}, _plain(word)
    found = [name for name in names if _stands_for(meant, name)] or difflib.get_close_matches(meant, names)
    return names[found[0]] if found else None


def _stands_for(meant: str, name: str) -> bool:
    initials = "".join(part[:1] for part in name.split("-"))
    return (
        (len(meant) > 2 and name.startswith(meant))
        or meant.startswith(f"{name}-")
        or (len(meant) > 1 and meant == initials)
    )


def _plain(name: str) -> str:
    return name.lstrip("-").replace("_", "-").lower()
