"""IDX, the file format of MNIST: a header with the type and shape of an array, then its values."""

import math
import os
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from backprop.data.content import content
from backprop.data.errors import DataError

_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}  # by the third byte of a file


@dataclass(frozen=True)
class Kind:
    """The required content of a file: the name of its items, their shape, and the allowed element types."""

    name: str
    item_shape: tuple[int, ...]
    types: tuple[int, ...]


IMAGES = Kind("images", (28, 28), (8,))
LABELS = Kind("labels", (), (8, 9, 11, 12))


def is_idx(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins as IDX does: two zeros, a type, 1 to 4 dimensions. Raises as `read_idx`.

    Some formats of pictures, such as ICO and AVIF, also begin with two zeros.
    """
    with content(path) as (stream, _):
        head = stream.read(4)
    return len(head) == 4 and head[:2] == b"\0\0" and head[2] in _TYPES and 1 <= head[3] <= 4


def read_idx(path: str | os.PathLike[str], kind: Kind) -> np.ndarray:
    """Return the items of the IDX file `path` as a read-only array of shape `(N, *kind.item_shape)`.

    The content decides what the file is, not its name: the magic number, the item shape and the length must
    agree. Reading allocates no more than the header promises and the file's size allows.
    Raises DataError if the file cannot be read, is damaged, or holds something else.
    """
    with content(path) as (stream, limit):
        count, dtype, size = _header(path, kind, stream, limit)
        try:
            data = stream.read(size)
        except MemoryError:
            rule = f"{count} {kind.name} take {size} bytes, more than fits in memory"
            raise DataError(f"{path}: is too large: {rule}; use a smaller set") from None
        if len(data) < size:
            raise _truncated(path, f"{count} {kind.name}", size, len(data))
        if stream.read(1):
            rule = f"{count} {kind.name} take {size} bytes after the header"
            raise DataError(f"{path}: has extra bytes: {rule}; download the file again")
    return np.frombuffer(data, dtype).reshape(count, *kind.item_shape)


def count_items(path: str | os.PathLike[str], kind: Kind) -> int:
    """Return the number of items in the header of an IDX file, and read only the header."""
    with content(path) as (stream, limit):
        return _header(path, kind, stream, limit)[0]


def _header(
    path: str | os.PathLike[str], kind: Kind, stream: BinaryIO, limit: int
) -> tuple[int, np.dtype, int]:
    """Read the header; return the number of items, their dtype, and their size in bytes."""
    header_size = 4 * (2 + len(kind.item_shape))
    head = stream.read(header_size)
    dtype = _element_type(path, kind, head[:4])
    if len(head) < header_size:
        cure = "download the file again"
        raise DataError(f"{path}: ends after {len(head)} of {header_size} header bytes; {cure}")
    count, *shape = np.frombuffer(head, ">u4", offset=4).tolist()
    if tuple(shape) != kind.item_shape:
        rule = f"{kind.name} must be {_by(kind.item_shape)}, got {_by(shape)}"
        raise DataError(f"{path}: {rule}; use a set of such {kind.name}")
    if count == 0:
        raise DataError(f"{path}: holds no {kind.name}; download the file again")
    size = count * math.prod(shape) * dtype.itemsize
    if size > limit - header_size:
        raise _truncated(path, f"{count} {kind.name}", size, f"at most {limit - header_size}")
    return count, dtype, size


def _element_type(path: str | os.PathLike[str], kind: Kind, magic: bytes) -> np.dtype:
    """Return the dtype of a magic number, which is two zeros, the type and the number of dimensions."""
    wanted = bytes((0, 0, 8, 1 + len(kind.item_shape)))
    if len(magic) < 4 or magic[2] not in _TYPES or magic[:2] + magic[3:] != wanted[:2] + wanted[3:]:
        rule = f"an IDX file of {kind.name} must begin with {wanted.hex()}"
        got = magic.hex() or "an empty file"
        raise DataError(f"{path}: {rule}, got {got}; replace it with the file of {kind.name}")
    dtype = np.dtype(_TYPES[magic[2]])
    if magic[2] not in kind.types:
        rule = "unsigned bytes" if kind.types == (8,) else "integers"
        raise DataError(f"{path}: {kind.name} must be {rule}, got {dtype.name}; convert them")
    return dtype


def _truncated(path: str | os.PathLike[str], items: str, size: int, got: int | str) -> DataError:
    rule = f"{items} take {size} bytes after the header, got {got}"
    return DataError(f"{path}: is truncated: {rule}; download the file again")


def _by(shape: tuple[int, ...] | list[int]) -> str:
    return "x".join(map(str, shape))
