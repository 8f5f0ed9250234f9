"""Calls among the ranks of a run: a mean, a broadcast, a gathering, a barrier, and news of a failure."""

import sys
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from backends.array import Array
from backends.backend import Backend
from backends.namespace import Namespace


class RankFailed(RuntimeError):
    """The error on all other ranks when one fails, is killed, or hangs.

    Parameters
    ----------
    rank : int
        The rank that failed.
    message : str
        What happened to it, in one line.
    """

    def __init__(self, rank: int, message: str) -> None:
        super().__init__(rank, message)
        self.rank, self.message = rank, message

    def __str__(self) -> str:
        return f"rank {self.rank}: {self.message}"


class Communicator(ABC):
    """The ranks of a run, seen from one of them. All of them must make the same calls in the same order.

    Attributes
    ----------
    rank, size : int
        The number of this process, from 0, and how many there are.
    local_rank : int
        Its number among those of its machine.
    failed : bool
        The run has failed, here or on another rank.
    speaker : int
        The lowest rank that has answered, and so can still say what happened.
    """

    rank = 0
    size = 1
    local_rank = 0
    failed = False
    speaker = 0

    @abstractmethod
    def mean(self, array: Array) -> None:
        """Replace a floating-point array, contiguous in memory, by its mean over the ranks."""

    @abstractmethod
    def broadcast(self, array: Array, root: int = 0) -> None:
        """Replace an array, contiguous in memory, by that of rank `root`."""

    @abstractmethod
    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, in their order, on every rank. They are pickled."""

    @abstractmethod
    def barrier(self) -> None:
        """Return when all ranks have come here."""

    def wait(self, backend: Backend) -> None:  # noqa: B027 - most engines do not run on a device
        """Return when the device has done its work so far, or raise RankFailed if it waits in vain."""

    def together(self) -> "AbstractContextManager[Communicator]":
        """Return a context out of which an exception on one rank ends all others, too: with RankFailed."""
        return nullcontext(self)

    def leave(self, code: int) -> None:
        """End this process after RankFailed, with an exit code, when all ranks have printed their errors."""
        sys.exit(code)

    def why_not_captured(self, backend: Backend) -> str:
        """Return why steps that communicate cannot be recorded by this backend, or ""."""
        return ""

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set on any rank."""
        return any(self.gather(flag))

    def all(self, flag: bool) -> bool:
        """Return whether the flag is set on all ranks."""
        return all(self.gather(flag))

    def share(self, count: int) -> slice:
        """Return the rows that belong to this rank: consecutive ones, nearly the same number on each."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: rank {self.rank} of {self.size}>"


class Alone(Communicator):
    """The only rank. Every mean is that of one array."""

    def mean(self, array: Array) -> None:
        """Do nothing."""

    def broadcast(self, array: Array, root: int = 0) -> None:
        """Do nothing."""

    def gather(self, value: Any) -> list[Any]:
        """Return the value alone in a list."""
        return [value]

    def barrier(self) -> None:
        """Do nothing."""


class WholeBatch:
    """An array namespace in which `mean` is over the batches of all ranks together, all of the same size.

    So the formulas of BatchNorm normalize the whole batch, forward and backward.

    Parameters
    ----------
    xp : namespace
    communicator : Communicator
    """

    def __init__(self, xp: Namespace, communicator: Communicator) -> None:
        self._xp, self._communicator = xp, communicator

    def __getattr__(self, name: str) -> Any:
        return getattr(self._xp, name)

    def mean(self, x: Array, **options: Any) -> Array:
        """Return the mean, as the namespace's own function does, over all ranks."""
        mean = self._xp.mean(x, **options)
        self._communicator.mean(mean)
        return mean
