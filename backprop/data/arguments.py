"""Checks of the loaders' arguments."""

import os
from typing import Any

from backends import shown
from backprop.arrays.checks import flag


def require_flags(where: str, **flags: Any) -> None:
    """Raise TypeError unless every flag is True or False, since 'no' would count as true."""
    for name, value in flags.items():
        if isinstance(value, (str, os.PathLike)):
            cure = "pass a directory as data_dir=…"
            raise TypeError(f"{where}: {name} must be True or False, got {shown(value)}; {cure}")
        flag(where, name, value)


def directory_path(where: str, data_dir: Any) -> str:
    """Return a directory's path as a string; raise TypeError or ValueError if it cannot be a path."""
    path = data_dir
    if isinstance(path, os.PathLike):
        path = os.fspath(path)
    if not isinstance(path, str):
        raise TypeError(f"{where}: data_dir must be a path, str or os.PathLike, got {shown(data_dir)}")
    if not path or "\0" in path or not _encodable(path):
        cure = "omit it to use BACKPROP_DATA_DIR or the cache"
        raise ValueError(f"{where}: data_dir must name a directory, got {shown(path)}; {cure}")
    return path


def _encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True
