"""The content of a file as a stream: plain, or unzipped no further than it is read."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from backprop.data.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
_DEFLATE_RATIO = 1032  # a byte of deflate, gzip's format, unpacks to no more than this many
_KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


@contextmanager
def content(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, int]]:
    """Open `path` and give a stream of its content, and the number of bytes that it cannot exceed.

    The first two bytes decide whether the file is gzip, never its name.
    Raises DataError, from the reading inside the `with` as well, where this is no regular file, cannot be
    read, is damaged gzip or gzip within gzip, whose size nothing bounds.
    """
    import gzip
    import zlib

    try:
        # Opening a pipe would wait for its writer, and a device need not end.
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            what = _KINDS.get(stat.S_IFMT(mode), "a device")
            raise DataError(f"{path}: is {what}; put a regular file there")
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
        raise DataError(f"{path}: damaged gzip: {error}; get the file anew") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; make it a readable file") from None
