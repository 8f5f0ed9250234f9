"""The test whether four files are MNIST itself, by checksums of their content."""

import os
import struct
import zlib

from backprop.data.content import GZIP_MAGIC
from backprop.data.folder import Files

# CRC-32 and length of each file, unzipped.
_MNIST = (
    (0xE9F4D8B3, 16 + 60000 * 784),
    (0xE0CB4AD2, 8 + 60000),
    (0x91373BDF, 16 + 10000 * 784),
    (0x4AB9EFF9, 8 + 10000),
)


def is_mnist(files: Files) -> bool:
    """Return whether the files have MNIST's checksums. Those of gzip files are read from the file."""
    try:
        return all(_has(path, *known) for path, known in zip(files, _MNIST, strict=True))
    except OSError:
        return False


def _has(path: str, checksum: int, length: int) -> bool:
    with open(path, "rb") as file:
        if file.read(2) == GZIP_MAGIC:
            file.seek(-8, os.SEEK_END)
            return file.read() == struct.pack("<II", checksum, length)
        if os.fstat(file.fileno()).st_size != length:
            return False
        file.seek(0)
        return zlib.crc32(file.read()) == checksum
