"""The checkpoints of a run in a directory: each written whole, with a checksum; the last few are kept."""

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from backprop.networks.tensor_file import FileError, TensorFile, content_of
from backprop.reporting import files
from backprop.training.checkpoint import Checkpoint, taken

KEPT = 3
LOG = logging.getLogger("backprop.training")
NAME = re.compile(r"iteration-\d{10,}\.safetensors")
SEAL = b'"checksum":"'  # quotes within the texts of the metadata are escaped, so nothing else looks like this
BLANK = b"0" * 64


class Checkpoints:
    """The checkpoints in one directory, which is created if it is not there.

    Parameters
    ----------
    folder : str

    Raises
    ------
    OSError
        If files cannot be written there.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        files.reserve(self._path(0))
        for name in os.listdir(folder):
            if name.startswith("iteration-") and name.endswith(".part"):  # left by a process that was killed
                with suppress(OSError):
                    os.unlink(os.path.join(folder, name))

    def paths(self) -> list[str]:
        """Return the paths of all checkpoints, the newest first."""
        found = filter(NAME.fullmatch, os.listdir(self.folder))
        return [os.path.join(self.folder, name) for name in sorted(found, key=_iteration, reverse=True)]

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint that is undamaged; None if there is none at all.

        Logs which damaged ones it passes over. Raises FileError if all of them are damaged, or if the newest
        is of a newer version.
        """
        damage = ""
        for path in self.paths():
            try:
                file = undamaged(path)
            except FileError as error:
                damage = str(error)
                LOG.warning("%s; the checkpoint before it is taken", damage)
                continue
            return Checkpoint(file)
        if damage:
            raise FileError(f"{damage}; no other checkpoint is left: name an empty directory")
        return None

    def write(self, iteration: int, arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
        """Write the checkpoint of an iteration, and remove all but the last few. Raises OSError."""
        content = content_of(arrays, {**metadata, "checksum": BLANK.decode()})
        start = content.index(SEAL) + len(SEAL)
        seal = hashlib.sha256(content).hexdigest().encode()
        path = self._path(iteration)
        try:
            files.write(path, content[:start] + seal + content[start + len(seal) :])
        except OSError as error:
            raise OSError(error.errno, f"no checkpoint: {error.strerror}", path) from None
        for path in self.paths()[KEPT:]:
            with suppress(OSError):
                os.unlink(path)

    def _path(self, iteration: int) -> str:
        return os.path.join(self.folder, f"iteration-{iteration:010}.safetensors")


class Keeper:
    """A writer of the checkpoints of one run, when they are due.

    Parameters
    ----------
    checkpoints : Checkpoints
    every : int
        Iterations between two of them.
    settings, network
        As for `Checkpoint.require_run`.
    """

    def __init__(
        self, checkpoints: Checkpoints, every: int, settings: Mapping[str, Any], network: str
    ) -> None:
        self.checkpoints, self.every, self.network = checkpoints, every, network
        self.settings: Mapping[str, Any] = json.loads(json.dumps(settings))  # as they are read again

    def found(self, resume: bool) -> Checkpoint | None:
        """Return the checkpoint to resume from, if there is one. Raises FileError or ValueError."""
        if not resume:
            if self.checkpoints.paths():
                cure = "resume it, or name an empty directory"
                raise ValueError(f"train: checkpoint {self.checkpoints.folder} has an earlier run; {cure}")
            return None
        newest = self.checkpoints.newest()
        if newest is None:
            LOG.info("no checkpoint in %s yet: the run starts at iteration 0", self.checkpoints.folder)
        else:
            newest.require_run(self.settings, self.network)
            LOG.info("resumed at iteration %s from %s", f"{newest.iteration:,}", newest.file.path)
        return newest

    def keep(self, run: Any, always: bool = False) -> None:
        """Write a checkpoint of a Run if one is due, or always. Raises OSError."""
        if always or run.done % self.every == 0 or run.done == run.total:
            self.checkpoints.write(run.done, *taken(run, self.settings, self.network))


def undamaged(path: str) -> TensorFile:
    """Return a file whose checksum is right; raise FileError for any other."""
    file = TensorFile(path)
    with open(path, "rb") as stream:
        header = stream.read(8)
        header += stream.read(int.from_bytes(header, "little"))
        start = header.find(SEAL) + len(SEAL)
        seal = header[start : start + len(BLANK)]
        digest = hashlib.sha256(header[:start] + BLANK + header[start + len(BLANK) :])
        while piece := stream.read(2**18):
            digest.update(piece)
    if digest.hexdigest().encode() != seal:
        raise FileError(f"{path}: is damaged: its checksum is not that of its content")
    return file


def _iteration(name: str) -> int:
    return int(re.sub(r"\D", "", name))
