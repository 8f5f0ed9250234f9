"""Arrays by name in a file of the format safetensors: written by its library, read piece by piece."""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

from backends import Array, Backend, backend_of, cut, dtype_name, listed, load, shown
from backprop.arrays.entering import cast

PIECE = 2**18  # bytes read at once, which is all the memory that reading needs
MOST_HEADER = 2**20  # bytes; that of a thousand arrays has a tenth of it
BESIDE = "beside/"  # begins the names of arrays that are no network's own: those of a checkpoint
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "I64": "int64",
    "I32": "int32",
    "U64": "uint64",
    "U32": "uint32",
    "U8": "uint8",
}
SIZES = {name: int(code[1:]) // 8 for code, name in DTYPES.items()}  # in bytes


class FileError(ValueError):
    """The error for a file that is damaged, of another kind, or does not fit. One line: file, rule, cure."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))  # other libraries' messages may have several lines


class Entry(NamedTuple):
    """One array of a file.  start: of its numbers in the file, in bytes."""

    dtype: str
    shape: tuple[int, ...]
    start: int


def content_of(arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file with these host arrays."""
    content: bytes = _library().numpy.save(dict(arrays), dict(metadata))
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
        library = _library()
        self.path = os.fspath(path)
        self.size, header = _sizes(self.path)
        self.entries: dict[str, Entry] = {}
        try:
            with library.safe_open(self.path, "numpy") as opened:
                self.metadata: dict[str, str] = opened.metadata() or {}
                slices = {name: opened.get_slice(name) for name in opened.offset_keys()}
                forms = {name: (each.get_dtype(), each.get_shape()) for name, each in slices.items()}
        except library.SafetensorError as error:
            why = cut(str(error).rpartition("header: ")[2], 80)
            raise FileError(f"{self.path}: is no undamaged safetensors file: {why}") from None
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

    def pieces(self, name: str) -> Iterator[Any]:
        """Yield the numbers of an entry as consecutive flat host arrays. Raises OSError or FileError."""
        entry = self.entries[name]
        left, most = prod(entry.shape), PIECE // SIZES[entry.dtype]
        host: Any = load("numpy")
        with open(self.path, "rb") as file:
            file.seek(entry.start)
            while left:
                piece = host.empty((min(left, most),), entry.dtype)
                if file.readinto(memoryview(piece).cast("B")) < piece.nbytes:
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


def _sizes(path: str) -> tuple[int, int]:
    """Return the size of a file and of its header, in bytes; raise OSError or FileError."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would wait for its writer
        raise FileError(f"{path}: must be a regular file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = int.from_bytes(file.read(8), "little")
    if size < 8 or header > size - 8:
        raise FileError(f"{path}: is no safetensors file, or is truncated")
    if header > MOST_HEADER:
        raise FileError(f"{path}: its header must have at most {MOST_HEADER:,} bytes, got {header:,}")
    return size, header


def _library() -> Any:
    """Return the library safetensors; raise ImportError with the command that installs it."""
    try:
        import safetensors.numpy  # here, since a checkout works without it
    except ImportError as error:
        raise ImportError(
            f"saving and loading needs safetensors ({error}); install it: pip install safetensors"
        ) from None
    return safetensors
