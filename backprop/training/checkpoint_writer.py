"""The writer of a run's checkpoints, and the choice of the one from which the run is resumed."""

import json
from collections.abc import Mapping
from typing import Any

from backprop.networks.tensor_file import library
from backprop.training.checkpoint import Checkpoint, taken
from backprop.training.checkpoints import LOG, Checkpoints


class NoCheckpoints:
    """The writer of all ranks but the first, which pause with it and write nothing.

    every: iterations between two checkpoints of the first.
    """

    def __init__(self, every: int) -> None:
        self.every = every

    def keep(self, run: Any, always: bool = False) -> None:
        """Do nothing."""


class CheckpointWriter:
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
        library()  # before a run is made that cannot be kept
        self.checkpoints, self.every, self.network = checkpoints, every, network
        self.settings: Mapping[str, Any] = json.loads(json.dumps(settings))  # as they are read again

    def newest(self, resume: bool) -> Checkpoint | None:
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
