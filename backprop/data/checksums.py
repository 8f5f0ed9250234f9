"""The test which data set four files are, by checksums of their content."""

import hashlib
import os
import struct
import zlib

from backprop.data.content import GZIP_MAGIC
from backprop.data.folder import Files
from backprop.data.known import KNOWN, MNIST, DataSet


def known_set(files: Files) -> DataSet | None:
    """Return the data set whose checksums the files have, or None. The files must be regular ones."""
    return next((known for known in KNOWN if different_file(files, known) is None), None)


def is_mnist(files: Files) -> bool:
    """Return whether the files have MNIST's checksums."""
    return different_file(files, MNIST) is None


def different_file(files: Files, known: DataSet) -> str | None:
    """Return the path of a file that has other checksums than that of the data set, or None.

    The last files are the smallest, so other sets are mostly told by a few bytes.
    """
    if known.contents:
        same = (_has(path, *content) for path, content in zip(files[::-1], known.contents[::-1], strict=True))
    else:
        sums = [*known.sha256.values()][::-1]
        same = (_sha256(path) == known_sum for path, known_sum in zip(files[::-1], sums, strict=True))
    return next((path for path, is_same in zip(files[::-1], same, strict=True) if not is_same), None)


def _has(path: str, checksum: int, length: int) -> bool:
    """Return whether a file has this CRC-32 and length, unzipped. A gzip file has both at its end."""
    try:
        with open(path, "rb") as file:
            if file.read(2) == GZIP_MAGIC:
                file.seek(-8, os.SEEK_END)
                return file.read() == struct.pack("<II", checksum, length)
            if os.fstat(file.fileno()).st_size != length:
                return False
            file.seek(0)
            return zlib.crc32(file.read()) == checksum
    except OSError:
        return False


def _sha256(path: str) -> str:
    """Return the SHA-256 of a file, or "" if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
