"""MPI by mpi4py: NumPy arrays as they are, those of a device through the host, or directly if MPI can.

Every call is started without waiting for it, and then asked for until it is done. So a rank that waits
answers signals, hears of the failure of another, and knows how long it has waited.
"""

import atexit
import os
import pickle
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from backends.array import Array
from backends.backend import Backend
from backends.communicators.communicator import Communicator, RankFailed
from backends.communicators.launch import launched, timeout_of
from backends.messages import cut, shown
from backends.registry import backend_of

INSTALL = "pip install mpi4py mpich"
AT_ONCE = 200  # questions before the others may have the core, and signals and failures are looked at
PATIENCE = 5.0  # seconds for the others to answer after a failure
FAILED, PRINTED = 1, 2  # tags of messages
yield_core: Callable[[], None] = getattr(os, "sched_yield", lambda: time.sleep(0.0))


class News(NamedTuple):
    """The message of a rank to the others when a run fails.

    error: its own, in one line; None if it only heard of one.  pending: it was waiting for the others.
    """

    error: str | None
    pending: bool


class Mpi(Communicator):
    """The ranks that `mpiexec` has started.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm, optional
        By default all of them, COMM_WORLD.
    timeout : float, optional
        Seconds after which a rank that waits for the others gives up: by default BACKPROP_TIMEOUT, else 300.

    Raises
    ------
    ImportError
        Without mpi4py, or without an MPI that it finds.
    RuntimeError
        If `mpiexec` belongs to another MPI than the one that mpi4py uses.
    TypeError, ValueError
        If comm is no communicator of mpi4py, or the timeout no number above 0.
    """

    def __init__(self, comm: Any = None, timeout: float | None = None) -> None:
        self.timeout, launch = timeout_of(timeout), launched()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of another MPI's mpiexec: that is an error, below
                from mpi4py import MPI
        except (ImportError, RuntimeError) as error:  # RuntimeError: it finds no MPI
            raise ImportError(f"Mpi needs mpi4py and an MPI: {INSTALL} ({cut(str(error))})") from error
        world = MPI.COMM_WORLD if comm is None else comm
        if not isinstance(world, MPI.Comm):
            raise TypeError(f"Mpi: comm must be a communicator of mpi4py, got {shown(comm)}")
        if comm is None and launch.size != world.size:
            by = f"{launch.launcher} has started" if launch.launcher else "a launcher has started"
            rule = f"{by} {launch.size} processes, but mpi4py's MPI finds {world.size}"
            raise RuntimeError(f"Mpi: {rule}; run the mpiexec of {MPI.Get_library_version().split()[0]}")
        self._mpi, self.rank, self.size = MPI, world.rank, world.size
        self.local_rank = world.Split_type(MPI.COMM_TYPE_SHARED).rank
        self._comm, self._beside = world.Dup(), world.Dup()  # collective calls, and what goes wrong
        self._pending = False
        self._missing: list[int] = []
        self._staged: dict[Any, np.ndarray] = {}
        self._is_direct = is_cuda_aware(MPI)
        atexit.register(self._end_the_missing)

    # ----------------------------------------------------------------------------------------- the four calls

    def mean(self, array: Array) -> None:
        backend = backend_of(array)
        host = self._fetched(backend, array)
        self._finish(self._comm.Iallreduce(self._mpi.IN_PLACE, host))
        if host is array:
            array *= 1 / self.size  # faster than a division
        else:
            host *= 1 / self.size
            backend.put(array, host)

    def broadcast(self, array: Array, root: int = 0) -> None:
        backend = backend_of(array)
        host = self._fetched(backend, array)
        self._finish(self._comm.Ibcast(host, root))
        if host is not array:
            backend.put(array, host)

    def gather(self, value: Any) -> list[Any]:
        data = np.frombuffer(pickle.dumps(value), "uint8")
        counts = np.empty(self.size, "int64")
        self._finish(self._comm.Iallgather(np.asarray([data.size]), counts))
        joined = np.empty(counts.sum(), "uint8")
        self._finish(self._comm.Iallgatherv(data, [joined, counts]))
        ends = np.cumsum(counts)
        parts = (joined[end - count : end] for end, count in zip(ends, counts, strict=True))
        return [pickle.loads(part.tobytes()) for part in parts]

    def barrier(self) -> None:
        self._finish(self._comm.Ibarrier())

    def why_not_captured(self, backend: Backend) -> str:
        return "" if backend.on_host else "MPI is called by the host in every step"

    def _fetched(self, backend: Backend, array: Any) -> Any:
        """Return the array itself if MPI can read and write it, else a copy on the host."""
        if backend.on_host:
            return array
        if self._is_direct:
            backend.synchronize()  # MPI knows nothing of streams
            return array
        key = array.shape, array.dtype
        if key not in self._staged:
            self._staged[key] = backend.host_memory(array.shape, array.dtype)
        backend.fetch(array, self._staged[key])
        return self._staged[key]

    # --------------------------------------------------------------------------------- waiting, and bad news

    def _finish(self, request: Any) -> None:
        """Return when the request is done. Raises RankFailed if another rank fails or hangs meanwhile."""
        test, begun = request.Test, 0.0
        self._pending = True
        while True:
            for _ in range(AT_ONCE):
                if test():
                    self._pending = False
                    return
            yield_core()
            self.look()
            now = time.monotonic()
            begun = begun or now
            if now - begun > self.timeout:
                raise self.failure(f"it has waited {self.timeout:g} s for the others")

    def look(self) -> None:
        """Raise RankFailed if another rank has told of a failure."""
        if self._beside.Iprobe(tag=FAILED):
            raise self.failure(None)

    def failure(self, error: str | None) -> RankFailed:
        """Tell all ranks of a failure, or that one was heard of (None); return the error to raise."""
        heard = self._exchange(error)
        told = {rank: news.error for rank, news in heard.items() if news.error}
        rank = min(told, default=self.rank)
        said = told.get(rank) or "it failed"
        if self._missing and all(news.pending for news in heard.values()):
            return RankFailed(self._missing[0], f"it does not answer, and {said}")
        return RankFailed(rank, said)

    @contextmanager
    def together(self) -> Iterator[Communicator]:
        self.failed = False
        try:
            yield self
        except BaseException as error:
            if not self.failed:  # else it has been told
                self._exchange(cut(in_words(error), 300))
            raise

    def _exchange(self, error: str | None) -> dict[int, News]:
        """Tell all ranks of a failure and return what those tell that answer in time."""
        self.failed = True
        heard = self._all(FAILED, News(error, self._pending), PATIENCE)
        self.speaker = min(heard)
        return heard

    def _all(self, tag: int, message: Any, patience: float) -> dict[int, Any]:
        """Send a message to all ranks; return theirs by rank, without the missing, which are noted."""
        others = [rank for rank in range(self.size) if rank != self.rank]
        sent = [self._beside.isend(message, rank, tag) for rank in others]
        heard, until, status = {self.rank: message}, time.monotonic() + patience, self._mpi.Status()
        while len(heard) < self.size and time.monotonic() < until:
            if self._beside.Iprobe(tag=tag, status=status):
                heard[status.source] = self._beside.recv(source=status.source, tag=tag)
            else:
                time.sleep(0.001)
        for request in sent:
            request.Test()
        self._missing = [rank for rank in others if rank not in heard]
        return heard

    def leave(self, code: int) -> None:
        """End this process after a failure of the run, when all ranks have printed what they have to say."""
        sys.stdout.flush()
        sys.stderr.flush()
        if not self._missing:
            codes = self._all(PRINTED, code, self.timeout)  # the first may still be writing files
            code = codes[min(codes)]
        self._end_the_missing(code)
        os._exit(code)  # MPI would complain that calls are unfinished

    def _end_the_missing(self, code: int = 1) -> None:
        if self._missing:
            sys.stderr.flush()
            self._mpi.COMM_WORLD.Abort(code)


def in_words(error: BaseException) -> str:
    """Return what the other ranks are told of an exception."""
    if isinstance(error, RankFailed):
        return error.message
    if isinstance(error, KeyboardInterrupt) and str(error):  # the word of a command for its signal
        return str(error)
    return f"{type(error).__name__}: {error}".rstrip(": ")


def is_cuda_aware(MPI: Any) -> bool:
    """Return whether MPI says that it reads and writes the memory of a CUDA device."""
    import ctypes  # 3 ms that `import backprop` need not pay

    kinds = MPI.COMM_WORLD.Get_info().get("mpi_memory_alloc_kinds") or ""  # of MPI 4.1
    if "cuda" in kinds.split(","):
        return True
    query = getattr(ctypes.CDLL(MPI.__file__), "MPIX_Query_cuda_support", None)  # of Open MPI
    return bool(query and query())
