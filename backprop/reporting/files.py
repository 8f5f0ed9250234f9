"""Files that are written whole or not at all: beside their place first, and moved there when complete.

Whatever ends the writing early, a full disk, Ctrl-C or a kill, leaves what was there.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from stat import S_IMODE, S_ISREG
from typing import BinaryIO

Name = str | PathLike[str]


def write(file: Name, content: str | bytes) -> None:
    """Write text, in UTF-8, or bytes in place of what a file holds.

    A symbolic link stays, and its target is written. A file keeps its mode. A pipe or a device is written to
    directly, and so is a file that this process has as standard output or standard error.
    Raises OSError.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if _is_stream(file):
        with open(_open_stream(file), "wb") as stream:
            stream.write(data)
        return
    with _beside(file) as (new, place):
        new.write(data)
        new.flush()
        os.fsync(new.fileno())
        new.close()  # Windows moves no open file
        _move(new.name, place)


def _move(new: str, place: str) -> None:
    """Move a whole file to its place.  Raises OSError that says where the file is if it must not be there."""
    try:
        os.replace(new, place)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.EPERM, errno.EACCES):  # mounted there, or another user's
            raise
        kept = f"{new.removesuffix('.part')}.kept"
        os.rename(new, kept)
        raise OSError(error.errno, f"{error.strerror}; what was to be there is in {kept}", place) from None


def reserve(file: Name) -> int | None:
    """Raise OSError if `write` could not write a file now; nothing is changed.

    Returns the descriptor of a pipe or device, else None. It is to be kept open until the file is written:
    the reader of a pipe takes its closing for the end.
    """
    if _is_stream(file):
        return _open_stream(file)
    with _beside(file):
        return None


def is_standard_output(file: Name) -> bool:
    """Return whether a file is what this process has as standard output, as /dev/stdout is."""
    return _same_file(file, 1)


@contextmanager
def _beside(file: Name) -> Iterator[tuple[BinaryIO, str]]:
    """Make an empty file with the same mode in the same folder, which is gone afterwards unless it was moved.

    Yields it, and where to move it.
    """
    place = os.path.realpath(file)
    mode = None
    with suppress(FileNotFoundError):
        mode = S_IMODE(os.stat(place).st_mode)
    if mode is not None and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place)
    folder, name = os.path.split(place)
    # Only the beginning of the name, since all of it may be as long as a name can be.
    beside = os.path.join(folder, f"{name[:40]}.{os.urandom(4).hex()}.part")
    try:
        with _new(beside) as new:
            if mode is not None:
                with suppress(PermissionError):  # of a file system without modes
                    os.chmod(beside, mode)
            yield new, place
    finally:
        with suppress(OSError):
            os.unlink(beside)


def _new(file: str) -> BinaryIO:
    try:
        return open(file, "xb")
    except OSError as error:  # whose file nobody has named
        raise OSError(error.errno, f"{error.strerror} in {os.path.dirname(file)}") from None


def _is_stream(file: Name) -> bool:
    """Return whether there is something that cannot be replaced by another file."""
    try:
        is_file = S_ISREG(os.stat(file).st_mode)
    except FileNotFoundError:
        return False
    return not is_file or _same_file(file, 1) or _same_file(file, 2)


def _open_stream(file: Name) -> int:
    """Open what is there for writing.  Raises OSError for a pipe that nobody reads instead of waiting."""
    at_once = getattr(os, "O_NONBLOCK", 0)  # Windows has no pipes that have a place in a folder
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | at_once)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads from it", file) from None
        raise
    if at_once:
        os.set_blocking(descriptor, True)
    return descriptor


def _same_file(file: Name, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(file), os.fstat(descriptor))
    except OSError:  # no such file, or a closed descriptor
        return False
