"""The content of a file as a stream: plain, or unzipped as far as it is read."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from backprop.data.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
_DEFLATE_RATIO = 1032  # the most bytes that one byte of gzip's format, deflate, unpacks to
_KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


@contextmanager
def content(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, int]]:
    """Open `path` and yield a stream of its content and an upper bound of its length in bytes.

    The first two bytes decide whether the file is gzip, not its name.
    Raises DataError, also while reading inside the `with` block, if this is not a regular file, cannot be
    read, is damaged gzip, or is gzip within gzip, whose size has no bound.
    """
    import gzip
    import zlib

    try:
        require_regular(path)
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.peek(2)[:2] != GZIP_MAGIC:
                yield file, size
                return
            unzipped = gzip.GzipFile(fileobj=file)
            if unzipped.peek(2)[:2] == GZIP_MAGIC:
                raise DataError(f"{path}: is gzip within gzip; unzip it once")
            yield cast(BinaryIO, unzipped), size * _DEFLATE_RATIO
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip: {error}; download the file again") from None
    except OSError as error:
        raise _unreadable(path, error) from None


def require_regular(path: str | os.PathLike[str]) -> None:
    """Raise DataError unless this is a regular file: a pipe waits for its writer, a device may never end."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(mode):
        what = _KINDS.get(stat.S_IFMT(mode), "a device")
        raise DataError(f"{path}: is {what}; replace it with a regular file")


def _unreadable(path: str | os.PathLike[str], error: OSError) -> DataError:
    return DataError(f"{path}: cannot be read: {error.strerror}; make it a readable file")
