"""Files that are written completely or not at all: to a temporary file first, moved when complete.

A full disk, Ctrl-C or a kill leaves the old file unchanged.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from stat import S_IMODE, S_ISREG
from typing import BinaryIO

Name = str | PathLike[str]


def write(file: Name, content: str | bytes | bytearray) -> None:
    """Replace the content of a file by text, as UTF-8, or by bytes.

    A symbolic link stays, and its target is written. A file keeps its mode. A pipe, a device, and a file that
    is this process's standard output or standard error are written directly.
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
        new.close()  # Windows cannot move an open file
        _move(new.name, place)
        _sync_folder(os.path.dirname(place))


def _move(new: str, place: str) -> None:
    """Move the complete file to its place.

    If that is forbidden, keep the file under another name and raise OSError with that name.
    """
    try:
        os.replace(new, place)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.EPERM, errno.EACCES):  # a mount point, or another user's
            raise
        kept = f"{new.removesuffix('.part')}.kept"
        os.rename(new, kept)
        raise OSError(error.errno, f"{error.strerror}; the new content is in {kept}", place) from None


def _sync_folder(folder: str) -> None:
    """Make the new name last, should the machine lose its power."""
    with suppress(OSError):  # Windows opens no directories, and some file systems sync none
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def reserve(file: Name) -> int | None:
    """Raise OSError if `write` could not write a file now; change nothing.

    Returns the descriptor of a pipe or device, else None. Keep it open until the file is written, because the
    reader of a pipe stops when it is closed.
    """
    if _is_stream(file):
        return _open_stream(file)
    with _beside(file):
        return None


def is_standard_output(file: Name) -> bool:
    """Return whether a file is the standard output of this process, as /dev/stdout is."""
    return _same_file(file, 1)


@contextmanager
def _beside(file: Name) -> Iterator[tuple[BinaryIO, str]]:
    """Create an empty file with the same mode in the same folder; delete it afterwards unless it was moved.

    Yields the open file, and the path to move it to.
    """
    place = os.path.realpath(file)
    mode = None
    with suppress(FileNotFoundError):
        mode = S_IMODE(os.stat(place).st_mode)
    if mode is not None and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place)
    folder, name = os.path.split(place)
    # A part of the name, since the whole one may already have the maximal length.
    beside = os.path.join(folder, f"{name[:40]}.{os.urandom(4).hex()}.part")
    try:
        with _new(beside) as new:
            if mode is not None:
                with suppress(PermissionError):  # on a file system without modes
                    os.chmod(beside, mode)
            yield new, place
    finally:
        with suppress(OSError):
            os.unlink(beside)


def _new(file: str) -> BinaryIO:
    try:
        return open(file, "xb")
    except OSError as error:  # the user never named this file, so name its folder
        raise OSError(error.errno, f"{error.strerror}: {os.path.dirname(file)}") from None


def _is_stream(file: Name) -> bool:
    """Return whether the path exists and cannot be replaced by a new file."""
    try:
        is_file = S_ISREG(os.stat(file).st_mode)
    except FileNotFoundError:
        return False
    return not is_file or _same_file(file, 1) or _same_file(file, 2)


def _open_stream(file: Name) -> int:
    """Open a pipe or device for writing; raise OSError, rather than wait, if nothing reads the pipe."""
    at_once = getattr(os, "O_NONBLOCK", 0)  # Windows has no pipes in folders
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | at_once)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "no process reads from it", file) from None
        raise
    if at_once:
        os.set_blocking(descriptor, True)
    return descriptor


def _same_file(file: Name, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(file), os.fstat(descriptor))
    except OSError:  # no such file, or a closed descriptor
        return False
