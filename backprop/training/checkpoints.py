"""The checkpoints of a run in a directory: each written whole, with a checksum; the last few are kept."""

import errno
import hashlib
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from backprop.networks.tensor_file import FileError, TensorFile, content_of
from backprop.reporting import files
from backprop.training.checkpoint import Checkpoint

KEPT = 3
LOG = logging.getLogger("backprop.training")
NAME = re.compile(r"iteration-\d{10,}\.safetensors")
SEAL = b'"checksum":"'  # quotes within the texts of the metadata are escaped, so nothing else looks like this
BLANK = b"0" * 64


class Checkpoints:
    """The checkpoints in one directory.

    Parameters
    ----------
    folder : str
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Create the directory, and keep it for this run in a `with` block.

        Raises OSError if files cannot be written there, ValueError if another run writes there.
        """
        try:
            os.makedirs(self.folder, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), self.folder) from None
        with _locked(self.folder):
            files.reserve(self._path(0))
            for name in os.listdir(self.folder):
                if name.startswith("iteration-") and name.endswith(".part"):  # of a process that was killed
                    with suppress(OSError):
                        os.unlink(os.path.join(self.folder, name))
            yield

    def paths(self) -> list[str]:
        """Return the paths of all checkpoints, the newest first."""
        found = filter(NAME.fullmatch, os.listdir(self.folder))
        return [os.path.join(self.folder, name) for name in sorted(found, key=_iteration, reverse=True)]

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint that is undamaged; None if there is none at all.

        Logs which damaged ones it passes over. Raises FileError if all of them are damaged, or if the newest
        is of a newer version.
        """
        paths = self.paths()
        for at, path in enumerate(paths):
            try:
                return Checkpoint(undamaged(path))
            except Damaged as error:
                if at == len(paths) - 1:
                    cure = "no earlier checkpoint is left: name an empty directory"
                    raise FileError(f"{error}; {cure}") from None
                LOG.warning("%s; the checkpoint before it is taken", error)
        return None

    def write(self, iteration: int, arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
        """Write the checkpoint of an iteration, and remove all but the last few. Raises OSError."""
        content = bytearray(content_of("train", arrays, {**metadata, "checksum": BLANK.decode()}))
        start = content.index(SEAL) + len(SEAL)
        content[start : start + len(BLANK)] = hashlib.sha256(content).hexdigest().encode()
        path = self._path(iteration)
        try:
            files.write(path, content)
        except OSError as error:
            raise OSError(error.errno, f"no checkpoint: {error.strerror}", path) from None
        for path in self.paths()[KEPT:]:
            with suppress(OSError):
                os.unlink(path)

    def _path(self, iteration: int) -> str:
        return os.path.join(self.folder, f"iteration-{iteration:010}.safetensors")


class Damaged(FileError):
    """The error for a checkpoint that is not as it was written."""


def undamaged(path: str) -> TensorFile:
    """Return a file whose checksum is right; raise Damaged for any other."""
    try:
        file = TensorFile(path)
    except FileError as error:
        raise Damaged(str(error)) from None
    with file.reading() as stream:
        stream.seek(0)
        header = stream.read(8)
        header += stream.read(int.from_bytes(header, "little"))
        start = header.find(SEAL) + len(SEAL)
        seal = header[start : start + len(BLANK)]
        digest = hashlib.sha256(header[:start] + BLANK + header[start + len(BLANK) :])
        while piece := stream.read(2**18):
            digest.update(piece)
    if digest.hexdigest().encode() != seal:
        raise Damaged(f"{path}: is damaged: its checksum is not that of its content")
    return file


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Lock a directory, which ends with the process at the latest. Raises ValueError if it is locked.

    Where the system has no such locks, nothing is locked.
    """
    try:
        import fcntl  # not on Windows
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # of a file system without locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                cure = "wait for its end, or name another directory"
                raise ValueError(f"train: checkpoint {folder} is in use by another run; {cure}") from None
        yield
    finally:
        os.close(descriptor)


def _iteration(name: str) -> int:
    return int(re.sub(r"\D", "", name))
