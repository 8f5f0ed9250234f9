"""Read an IDX file, the format of MNIST, plain or compressed with gzip."""

import math
import os

import numpy as np

from backprop.data.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_LAYERS = 3  # a download or a backup may have compressed a .gz file once more


def read_idx(path: str | os.PathLike[str], kind: str, item_shape: tuple[int, ...]) -> np.ndarray:
    """The bytes of the IDX file `path` as a read-only uint8 array of shape (N, *item_shape).

    The content decides what the file is, never its name: the magic number, the item shape and the length must
    agree. `kind` ("images", "labels") only names the items in the messages.
    Raises DataError where the file cannot be read, is damaged, or holds something else.
    """
    data = _decompressed(path)
    # Two zero bytes, 8 for unsigned bytes, the number of dimensions.
    magic = bytes((0, 0, 8, 1 + len(item_shape)))
    if data[:4] != magic:
        rule, got = f"an IDX file of {kind} is {magic.hex()}", data[:4].hex() or "an empty file"
        raise DataError(f"{path}: the magic number of {rule}, got {got}; put the file of {kind} there")
    header_size = 4 * (2 + len(item_shape))
    if len(data) < header_size:
        raise DataError(f"{path}: ends after {len(data)} of {header_size} header bytes; get the file anew")
    count, *shape = np.frombuffer(data, ">u4", 1 + len(item_shape), offset=4).tolist()
    if tuple(shape) != item_shape:
        raise DataError(f"{path}: {kind} must be {_by(item_shape)}, got {_by(shape)}; put such {kind} there")
    if count == 0:
        raise DataError(f"{path}: holds no {kind}; get the file anew")
    expected = header_size + count * math.prod(item_shape)
    if len(data) != expected:
        fault = "is cut short" if len(data) < expected else "has bytes left over"
        rule = f"{count} {kind} take {expected} bytes"
        raise DataError(f"{path}: {fault}: {rule}, got {len(data)}; get the file anew")
    return np.frombuffer(data, np.uint8, offset=header_size).reshape(count, *item_shape)


def _decompressed(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; make it a readable file") from None
    import gzip
    import zlib

    try:
        for _ in range(_GZIP_LAYERS):
            if not data.startswith(_GZIP_MAGIC):
                break
            data = gzip.decompress(data)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip: {error}; get the file anew") from None
    return data


def _by(shape: tuple[int, ...] | list[int]) -> str:
    return "x".join(map(str, shape))
