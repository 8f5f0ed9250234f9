"""The content of a checkpoint: all that a run needs to end in the same bits, taken from it and put back."""

import json
from array import array
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from backends import cut, load, shown, to_numpy
from backprop.arrays.checked_number import numbers_of
from backprop.networks.tensor_file import BESIDE, FileError, TensorFile
from backprop.networks.weights import KEY, described_in, host_arrays, live_arrays
from backprop.training.history import History

FORMAT = 1  # raised when older versions cannot read a checkpoint any more
RUN = "checkpoint"  # the key of a run in the metadata; the key of its network is that of a file of weights
HELD, OPTIMIZER, HISTORY, BEST = (f"{BESIDE}{name}" for name in ("held", "optimizer", "history.", "best."))
DIGESTS = ("training data", "validation data", "test data", "schedule")  # which say nothing when shown
WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # of content that is not ours
LISTS = [each.name for each in fields(History) if each.default_factory is list]
OTHERS = [each.name for each in fields(History) if each.name not in LISTS]


def taken(run: Any, settings: Mapping[str, Any], network: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return arrays and metadata of a Run between two steps, where an evaluation is still to come.

    settings, network: as for `Checkpoint.require_run`.
    """
    history, optimizer, stopping = run.history, run.trainer.optimizer, run.stopping
    arrays = host_arrays(run.trainer.net)
    for name in LISTS:
        numbers = array("q" if name == "iterations" else "d", getattr(history, name))
        arrays[f"{HISTORY}{name}"] = load("numpy").asarray(numbers)
    if run.held is not None:
        arrays[HELD] = run.held
    if optimizer.state is not None:
        arrays[OPTIMIZER] = to_numpy(optimizer.state.flat)
    if stopping is not None:
        arrays |= {f"{BEST}{at}": to_numpy(kept) for at, kept in enumerate(stopping.kept)}
    state, ahead = run.batches.position(run.done)
    facts = {
        "format": FORMAT,
        "iteration": run.done,
        "settings": settings,
        "generator": [plain(state), ahead],
        "optimizer": numbers_of(optimizer),
        "stopping": None if stopping is None else [stopping.best, stopping.waited],
        "history": {name: getattr(history, name) for name in OTHERS},
    }
    return arrays, {KEY: network, RUN: json.dumps(facts)}


class Checkpoint:
    """A checkpoint in a file that was found undamaged.

    Parameters
    ----------
    file : TensorFile

    Attributes
    ----------
    iteration : int
        The updates before it.
    settings : dict
        Those of its run.

    Raises
    ------
    FileError
        If the file holds no checkpoint, or one of a newer version.
    """

    def __init__(self, file: TensorFile) -> None:
        self.file, self._facts = file, file.json(RUN, FORMAT, "is no checkpoint")
        try:
            self.iteration = int(self._facts["iteration"])
            self.settings: dict[str, Any] = dict(self._facts["settings"])
        except WRONG as error:
            raise FileError(f"{file.path}: is no checkpoint of this library: {error!r}") from None

    def require_run(self, settings: Mapping[str, Any], network: str) -> None:
        """Raise ValueError unless this is of a run with the same settings, data and network.

        settings: numbers, text, lists and None by name.  network: its description.
        """
        where = f"train: {self.file.path} is of a run with"
        described, own = described_in(self.file), json.loads(network)
        for part in own | described:
            if part != "versions" and described.get(part) != own.get(part):
                raise ValueError(f"{where} another network, of {part} {shown(described.get(part), 80)}")
        for name, now in settings.items():
            before = self.settings.get(name)
            if before == now or (name == "rng" and None in (before, now)):
                continue
            if name in DIGESTS:
                raise ValueError(f"{where} other {name}; give the same")
            raise ValueError(f"{where} {name} {shown(before, 40)}, got {shown(now, 40)}; give the same")

    def held(self, count: int, size: int) -> Any:
        """Return the samples that the run holds out for validation: host indices below size, `count` of them.

        Raises FileError if they are not there.
        """
        entry = self.file.entries.get(HELD)
        if entry is not None and (entry.dtype, entry.shape) == ("int64", (count,)):
            rows = self.file.read(HELD)
            if min(rows) >= 0 and max(rows) < size:
                return rows
        raise FileError(f"{self.file.path}: is no checkpoint of this run: the samples held out are missing")

    def restore(self, run: Any) -> None:
        """Put a Run where this one was. Raises FileError if the checkpoint lacks something."""
        try:
            self._restore(run)
        except FileError:
            raise
        except WRONG as error:
            what = cut(f"{type(error).__name__}: {error}", 80)
            raise FileError(f"{self.file.path}: is no checkpoint of this run ({what})") from error

    def _restore(self, run: Any) -> None:
        file, facts, history, trainer = self.file, self._facts, run.history, run.trainer
        optimizer, stopping = trainer.optimizer, run.stopping
        targets = live_arrays(trainer.net)
        if optimizer.state is not None:
            targets[OPTIMIZER] = optimizer.state.flat
        if stopping is not None:
            targets |= {f"{BEST}{at}": kept for at, kept in enumerate(stopping.kept)}
        with file.reading():
            # First all that may be wrong, then what changes the run.
            if not 0 <= self.iteration <= run.total:
                raise ValueError(f"iteration {self.iteration}")
            record = {name: _like(getattr(history, name), facts["history"][name]) for name in OTHERS}
            for name in LISTS:
                pieces = file.pieces(f"{HISTORY}{name}")
                record[name] = [number for piece in pieces for number in piece.tolist()]
            record["warmup_seconds"] += history.warmup_seconds
            best, waited = (0.0, 0) if stopping is None else facts["stopping"]
            numbers = {name: facts["optimizer"][name] for name in numbers_of(optimizer)}
            for name, target in targets.items():
                file.require_form(name, target)
            if {OPTIMIZER} & file.entries.keys() - targets.keys():
                raise ValueError("the optimizer has no state")
            state, ahead = facts["generator"]
            run.batches.restore(self.iteration, state, ahead)
            for name, number in numbers.items():
                setattr(optimizer, name, number)
            for name, target in targets.items():
                file.read_into(name, target)
        if stopping is not None:
            stopping.best, stopping.waited = float(best), int(waited)
        vars(history).update(record, resumed_at=self.iteration)
        run.begun -= history.seconds
        run.done = self.iteration


def _like(own: Any, value: Any) -> Any:
    """Return a value of the history; raise TypeError unless it is of the kind that its place holds."""
    if not isinstance(value, str if isinstance(own, str) else int | float | type(own)):
        raise TypeError(f"got {shown(value)}")
    return value


def plain(value: Any) -> Any:
    """Return the state of a generator as JSON has it, with lists for arrays.

    Raises TypeError for a generator with anything else in its state.
    """
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if not isinstance(value, str | int | float | type(None)):
        raise TypeError(f"train: rng must have a state of numbers to be kept, got {shown(value)}")
    return value
