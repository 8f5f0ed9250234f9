"""The four files of a data set in a directory, found by name."""

import os
import re
from typing import NamedTuple

from backprop.data.errors import DataError

# MNIST's and EMNIST's names; some copies have a dot where the originals have a hyphen.
_NAME = re.compile(r"(emnist-[a-z]+-|)(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(?:\.gz)?")
_PLACES = tuple((part, what) for part in ("train", "test") for what in ("images", "labels"))


class Files(NamedTuple):
    """The paths of the four files of a data set."""

    train_images: str
    train_labels: str
    test_images: str
    test_labels: str

    @property
    def transposed(self) -> bool:
        """True if the images are stored transposed, as in EMNIST."""
        return os.path.basename(self.train_images).startswith("emnist")


def find_files(directory: str, origin: str, wanted: str = "MNIST") -> Files:
    """Return the files of the data set in a directory.

    origin: what errors call the directory: the argument, option or variable that named it.
    wanted: the name of the data set.
    Raises DataError if it is not a directory, or has no complete set or several.
    """
    sets = _sets(directory, origin, wanted)
    complete = [prefix for prefix, files in sets.items() if len(files) == len(_PLACES)]
    if not complete:
        prefix = max(sets, key=lambda prefix: len(sets[prefix]), default="")
        present = sets.get(prefix, {})
        missing = ", ".join(_usual_name(prefix, *place) for place in _PLACES if place not in present)
        cure = f"add them, or {_without(origin)} to download {wanted}"
        raise DataError(f"{directory}: {origin} lacks {missing} (or .gz); {cure}")
    if len(complete) > 1:
        found = ", ".join(prefix.rstrip("-") or "train-…" for prefix in complete)
        raise DataError(f"{directory}: {origin} holds several sets: {found}; put each in its own directory")
    (prefix,) = complete
    return Files(*(_only(directory, origin, sets[prefix][place]) for place in _PLACES))


def _sets(directory: str, origin: str, wanted: str) -> dict[str, dict[tuple[str, str], list[str]]]:
    """Return the file names in the directory by set (its prefix), and by part and kind."""
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        rule = f"{origin} is not a readable directory: {error.strerror}"
        cure = f"put {wanted}'s files there, or {_without(origin)} to download them"
        raise DataError(f"{directory}: {rule}; {cure}") from None
    sets: dict[str, dict[tuple[str, str], list[str]]] = {}
    for name in names:
        if match := _NAME.fullmatch(name):
            prefix, part, what = match.groups()
            place = ("train" if part == "train" else "test", what)
            sets.setdefault(prefix, {}).setdefault(place, []).append(name)
    return sets


def _without(origin: str) -> str:
    """Return how to do without the directory: a variable is unset, an argument or option omitted."""
    return f"{'unset' if origin.isupper() else 'omit'} {origin}"


def _only(directory: str, origin: str, names: list[str]) -> str:
    """Return the path of the only file among several names for it; .gz goes first."""
    if len(names) > 1:  # unpackers may leave a directory of the file's name beside the file
        names = [name for name in names if not os.path.isdir(os.path.join(directory, name))] or names
    names = [name for name in names if f"{name}.gz" not in names]
    if len(names) > 1:
        raise DataError(f"{directory}: {origin} holds both {' and '.join(names)}; keep only one")
    return os.path.join(directory, names[0])


def _usual_name(prefix: str, part: str, what: str) -> str:
    part = "t10k" if part == "test" and not prefix else part
    return f"{prefix}{part}-{what}-idx{3 if what == 'images' else 1}-ubyte"
