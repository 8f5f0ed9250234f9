"""Checks of the loaders' arguments."""

import os
from typing import Any

from backends import shown
from backprop.arrays.checks import flag, path_name


def require_flags(where: str, **flags: Any) -> None:
    """Raise TypeError unless every flag is True or False, since 'no' would count as true."""
    for name, value in flags.items():
        if isinstance(value, (str, os.PathLike)):
            cure = "pass a directory as data_dir=…"
            raise TypeError(f"{where}: {name} must be True or False, got {shown(value)}; {cure}")
        flag(where, name, value)


def directory_path(where: str, data_dir: Any) -> str:
    """Return a directory's path as a string; raise TypeError or ValueError if it cannot be a path."""
    cure = "omit it to use BACKPROP_DATA_DIR or the cache"
    return path_name(where, "data_dir", data_dir, "directory", cure)
