"""The four files of a set in a directory, found by their names."""

import os
import re
from typing import NamedTuple

from backprop.data.errors import DataError

# MNIST's and EMNIST's names; some copies have a dot where the originals have a hyphen.
_NAME = re.compile(r"(emnist-[a-z]+-|)(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(?:\.gz)?")
_PLACES = tuple((part, what) for part in ("train", "test") for what in ("images", "labels"))


class Files(NamedTuple):
    """The paths of a set's four files."""

    train_images: str
    train_labels: str
    test_images: str
    test_labels: str

    @property
    def transposed(self) -> bool:
        """Whether the images lie on their sides, as EMNIST's do."""
        return os.path.basename(self.train_images).startswith("emnist")


def find_files(directory: str, origin: str) -> Files:
    """Return the files of the one set in a directory; `origin` says in messages who named the directory.

    Raises DataError where it is no directory, has no set that is complete, or several.
    """
    sets = _sets(directory, origin)
    complete = [prefix for prefix, files in sets.items() if len(files) == len(_PLACES)]
    if not complete:
        prefix = max(sets, key=lambda prefix: len(sets[prefix]), default="")
        present = sets.get(prefix, {})
        missing = ", ".join(_usual_name(prefix, *place) for place in _PLACES if place not in present)
        cure = f"put them there, or download MNIST without {origin}"
        raise DataError(f"{directory}: {origin} lacks {missing} (or .gz); {cure}")
    if len(complete) > 1:
        told = ", ".join(prefix.rstrip("-") or "train-…" for prefix in complete)
        raise DataError(f"{directory}: {origin} holds several sets: {told}; give each a directory of its own")
    (prefix,) = complete
    return Files(*(_only(directory, origin, sets[prefix][place]) for place in _PLACES))


def _sets(directory: str, origin: str) -> dict[str, dict[tuple[str, str], list[str]]]:
    """Return the names of the directory that are of a set: by the set's prefix, by part and kind."""
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        rule = f"{origin} is no readable directory: {error.strerror}"
        cure = f"put MNIST's files there, or download them without {origin}"
        raise DataError(f"{directory}: {rule}; {cure}") from None
    sets: dict[str, dict[tuple[str, str], list[str]]] = {}
    for name in names:
        if match := _NAME.fullmatch(name):
            prefix, part, what = match.groups()
            place = ("train" if part == "train" else "test", what)
            sets.setdefault(prefix, {}).setdefault(place, []).append(name)
    return sets


def _only(directory: str, origin: str, names: list[str]) -> str:
    """Return the path of the one file among names for the same thing."""
    if len(names) > 1:  # an unpacked archive may have a directory of a file's name beside the file
        names = [name for name in names if not os.path.isdir(os.path.join(directory, name))] or names
    names = [name for name in names if f"{name}.gz" not in names]
    if len(names) > 1:
        raise DataError(f"{directory}: {origin} holds both {' and '.join(names)}; leave one of them there")
    return os.path.join(directory, names[0])


def _usual_name(prefix: str, part: str, what: str) -> str:
    part = "t10k" if part == "test" and not prefix else part
    return f"{prefix}{part}-{what}-idx{3 if what == 'images' else 1}-ubyte"
