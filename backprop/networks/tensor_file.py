"""Arrays by name in a file of the format safetensors: written by its library, read piece by piece."""

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any, BinaryIO, NamedTuple

from backends import Array, Backend, backend_of, cut, dtype_name, listed, load, shown
from backprop.arrays.entering import cast

PIECE = 2**18  # bytes read at once, which is all the memory that reading needs
MOST_HEADER = 2**20  # bytes; that of a thousand arrays has a tenth of it
BESIDE = "beside/"  # begins the names of arrays that are no network's own: those of a checkpoint
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BOOL": "bool",
    **{
        f"{kind}{bits}": f"{name}{bits}"
        for kind, name in (("I", "int"), ("U", "uint"))
        for bits in (8, 16, 32, 64)
    },
}
SIZES = {name: int(re.sub(r"\D", "", code) or 8) // 8 for code, name in DTYPES.items()}  # in bytes


class NotInstalled(ImportError):
    """The error without the library safetensors."""


class FileError(ValueError):
    """The error for a file that is damaged, of another kind, or does not fit. One line: file, rule, cure."""

    def __init__(self, message: str) -> None:
        # Names in a stranger's file may hold line breaks and what moves the cursor of a terminal.
        super().__init__(printable(" ".join(message.splitlines())))


class Entry(NamedTuple):
    """One array of a file.  start: of its numbers in the file, in bytes."""

    dtype: str
    shape: tuple[int, ...]
    start: int


def printable(text: str) -> str:
    """Return a text with escapes in place of what cannot be printed."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def require_writable(where: str, arrays: Mapping[str, Any]) -> None:
    """Raise TypeError unless files can hold arrays of these dtypes, which may be on any backend."""
    for name, array in arrays.items():
        if dtype_name(array.dtype) not in SIZES:
            rule = f"{name} must hold real numbers to be written"
            raise TypeError(f"{where}: {rule}, got {cut(str(array.dtype))}; keep it in an array of floats")


def content_of(where: str, arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file with these host arrays.

    where: the caller, for errors. Raises TypeError or ValueError for what no file can hold.
    """
    require_writable(where, arrays)
    content: bytes = library().numpy.save(dict(arrays), dict(metadata))
    header = int.from_bytes(content[:8], "little")
    if header > MOST_HEADER:
        rule = f"names and description of the layers must take at most {MOST_HEADER:,} bytes"
        raise ValueError(
            f"{where}: {rule}, got {header:,}; shorten the names, or save the arrays by themselves"
        )
    return content


class TensorFile:
    """A file of arrays. Its header is read and checked now, its numbers on request.

    Parameters
    ----------
    path : str or os.PathLike

    Attributes
    ----------
    entries : dict of Entry
        By name, in the order of the file.
    metadata : dict of str
    size : int
        Of the file, in bytes.

    Raises
    ------
    OSError
        If the file cannot be read.
    FileError
        If it is not such a file, or is damaged. Nothing of the size that its header promises is allocated.
    ImportError
        Without the library safetensors.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        known = library()
        self.path = os.fspath(path)
        self._stream: BinaryIO | None = None
        self._identity, header = _identity(self.path)
        self.size = self._identity[2]
        self.entries: dict[str, Entry] = {}
        try:
            with self.reading(), known.safe_open(self.path, "numpy") as opened:
                self.metadata: dict[str, str] = opened.metadata() or {}
                slices = {name: opened.get_slice(name) for name in opened.offset_keys()}
                forms = {name: (each.get_dtype(), each.get_shape()) for name, each in slices.items()}
        except known.SafetensorError as error:
            why = cut(str(error).rpartition("header: ")[2], 80)
            raise FileError(f"{self.path}: is no undamaged safetensors file: {why}") from None
        if _identity(self.path)[0] != self._identity:
            raise self._replaced()
        start = 8 + header
        for name, (code, shape) in forms.items():  # in the order of their numbers, without gaps between them
            if code not in DTYPES:
                raise FileError(f"{self.path}: {name} must hold one of {', '.join(DTYPES)}, got {code}")
            self.entries[name] = Entry(DTYPES[code], tuple(shape), start)
            start += prod(shape) * SIZES[DTYPES[code]]

    def json(self, key: str, newest: int, without: str) -> dict[str, Any]:
        """Return an object in the metadata, written as JSON, that names its format by a number.

        newest: the format that is read here.  without: what is wrong with a file that lacks it.
        Raises FileError.
        """
        if key not in self.metadata:
            raise FileError(f"{self.path}: {without}")
        try:
            facts: dict[str, Any] = json.loads(self.metadata[key])
            number = facts["format"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise FileError(f"{self.path}: its description is damaged: {cut(str(error))}") from None
        if type(number) is not int or not 0 < number <= newest:
            rule, cure = f"must have a format of at most {newest}", "install a newer version of backprop"
            raise FileError(f"{self.path}: {rule}, got {shown(number, 40)}; {cure}")
        return facts

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        """Keep the file open in a `with` block, so that all reads are of one content.

        Raises FileError if another file has taken its place since the header was read.
        """
        if self._stream is not None:
            yield self._stream
            return
        with open(self.path, "rb") as stream:
            if _of(stream) != self._identity:
                raise self._replaced()
            self._stream = stream
            try:
                yield stream
            finally:
                self._stream = None

    def _replaced(self) -> FileError:
        return FileError(f"{self.path}: was replaced while it was read; load it again")

    def pieces(self, name: str) -> Iterator[Any]:
        """Yield the numbers of an entry as consecutive flat host arrays. Raises OSError or FileError."""
        entry = self.entries[name]
        left, most = prod(entry.shape), PIECE // SIZES[entry.dtype]
        host: Any = load("numpy")
        with self.reading() as file:
            file.seek(entry.start)
            while left:
                piece = host.empty((min(left, most),), entry.dtype)
                if file.readinto(memoryview(piece).cast("B")) < piece.nbytes:  # type: ignore[attr-defined]
                    raise FileError(f"{self.path}: became shorter while it was read")
                yield piece
                left -= len(piece)

    def read(self, name: str) -> Any:
        """Return an entry as a host array."""
        entry = self.entries[name]
        found = load("numpy").empty(entry.shape, entry.dtype)
        self.read_into(name, found)
        return found

    def read_into(self, name: str, target: Array) -> None:
        """Write the numbers of an entry into an array of the same shape, cast to its dtype."""
        backend: Backend = backend_of(target)
        flat, start = backend.reshape(target, (-1,)), 0
        for piece in self.pieces(name):
            stop = start + len(piece)
            backend.write(flat[start:stop], backend.asarray(piece, target.dtype))
            start = stop

    def require(self, shapes: Mapping[str, tuple[int, ...]], whose: str) -> None:
        """Raise FileError unless the file has these entries and no others but those beside a network's.

        whose: what has them, for the error.
        """
        missing = [name for name in shapes if name not in self.entries]
        extra = [name for name in self.entries if name not in shapes and not name.startswith(BESIDE)]
        if missing or extra:
            lacks = f"lacks {listed(missing)}" if missing else f"also has {listed(extra)}"
            raise FileError(f"{self.path}: must hold the arrays of {whose}, but {lacks}")
        for name, shape in shapes.items():
            if self.entries[name].shape != tuple(shape):
                rule = f"{name} must have shape {tuple(shape)}, as in {whose}"
                raise FileError(f"{self.path}: {rule}, got {self.entries[name].shape}")

    def require_form(self, name: str, target: Array) -> None:
        """Raise FileError unless an entry has the shape and the dtype of an array."""
        entry, wanted = self.entries.get(name), (dtype_name(target.dtype), tuple(target.shape))
        if entry is None or (entry.dtype, entry.shape) != wanted:
            raise FileError(f"{self.path}: {name} must be {wanted}, got {entry and entry[:2]}")

    def require_castable(self, name: str, dtype: Any) -> None:
        """Raise FileError if the numbers of an entry do not fit into a dtype. May read all of them."""
        own, wanted = self.entries[name].dtype, dtype_name(dtype)
        if own == wanted:
            return
        if own[0] != "f" or wanted[0] != "f":
            raise FileError(f"{self.path}: {name} must hold {wanted}, got {own}")
        for piece in self.pieces(name):
            try:
                cast("load", name, piece, wanted, load("numpy"))
            except ValueError as error:
                raise FileError(f"{self.path}: {str(error).removeprefix('load: ')}") from None


def _identity(path: str) -> tuple[tuple[int, ...], int]:
    """Return what a file is known by, third its size, and the size of its header, in bytes.

    Raises OSError or FileError.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would wait for its writer
        raise FileError(f"{path}: must be a regular file")
    with open(path, "rb") as file:
        identity, header = _of(file), int.from_bytes(file.read(8), "little")
    if identity[2] < 8 or header > identity[2] - 8:
        raise FileError(f"{path}: is no safetensors file, or is truncated")
    if header > MOST_HEADER:
        raise FileError(f"{path}: its header must have at most {MOST_HEADER:,} bytes, got {header:,}")
    return identity, header


def _of(stream: BinaryIO) -> tuple[int, ...]:
    found = os.fstat(stream.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def library() -> Any:
    """Return the library safetensors; raise NotInstalled with the command that installs it."""
    try:
        import safetensors.numpy  # here, since a checkout works without it
    except ImportError as error:
        raise NotInstalled(
            f"saving and loading needs safetensors ({error}); install it: pip install safetensors"
        ) from None
    return safetensors
