"""NCCL by CuPy: one GPU per process. Means and broadcasts run on the current stream, also in a CUDA graph."""

import os
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from backends.array import Array
from backends.backend import Backend
from backends.communicators.communicator import Communicator, RankFailed
from backends.communicators.launch import Launch, launched, timeout_of
from backends.communicators.mpi import Mpi
from backends.dtypes import dtype_name
from backends.registry import load

PAUSE = 0.0001  # seconds between two questions whether the device is done
BY_MPI = ("Open MPI", "MPICH")  # launchers of MPI programs


class Nccl(Communicator):
    """The GPUs of the processes that were launched together, one each.

    It makes the GPU of its local rank the current one, so it must be made before the network. Processes that
    `mpiexec` has started find each other, and talk about all but arrays on a GPU, through MPI. Others need
    NCCL_COMM_ID=HOST:PORT, where rank 0 listens, or MASTER_ADDR and MASTER_PORT, as torchrun sets them: then
    it is the port after that one, since torchrun uses its own.

    Parameters
    ----------
    timeout : float, optional
        Seconds after which a rank that waits for the others gives up: by default BACKPROP_TIMEOUT, else 300.

    Raises
    ------
    BackendUnavailable
        Without CuPy or a GPU.
    ImportError
        If CuPy finds no NCCL.
    ValueError
        If a variable is missing, or the timeout is no number above 0.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.timeout, launch = timeout_of(timeout), launched()
        self._backend = load("cupy")
        self._xp: Any = self._backend.xp
        self._nccl = self._xp.cuda.nccl
        if not getattr(self._nccl, "available", False):
            cure = "pip install nvidia-nccl-cu12 (CUDA 12) or nvidia-nccl-cu13 (CUDA 13)"
            raise ImportError(f"Nccl: CuPy finds no NCCL; {cure}")
        self._mpi = Mpi(timeout=timeout) if launch.launcher in BY_MPI else None
        self.rank, self.size = launch.rank, launch.size
        self.local_rank = launch.local_rank if self._mpi is None else self._mpi.local_rank
        device = self._xp.cuda.Device(self.local_rank % self._xp.cuda.runtime.getDeviceCount())
        device.use()
        self._comm = self._nccl.NcclCommunicator(self.size, self._id(launch), self.rank)

    def _id(self, launch: Launch) -> Any:
        """Return NCCL's name for these ranks, the same on all of them."""
        if self._mpi is not None:
            return self._mpi.gather(self._nccl.get_unique_id() if self.rank == 0 else None)[0]
        if "NCCL_COMM_ID" not in os.environ and self.size > 1:
            host, port = os.environ.get("MASTER_ADDR"), os.environ.get("MASTER_PORT", "")
            if not host or not port.isdigit():
                needs = "NCCL_COMM_ID=HOST:PORT, or MASTER_ADDR and MASTER_PORT"
                raise ValueError(f"Nccl: ranks that mpiexec has not started need {needs}")
            os.environ["NCCL_COMM_ID"] = f"{host}:{int(port) + 1}"
        return self._nccl.get_unique_id()

    def mean(self, array: Array) -> None:
        if type(array) is not self._xp.ndarray:
            array[...] = sum(self.gather(array)) / self.size
            return
        self._comm.allReduce(*self._in_place(array), self._nccl.NCCL_AVG, self._stream())

    def broadcast(self, array: Array, root: int = 0) -> None:
        if type(array) is not self._xp.ndarray:
            array[...] = self.gather(array if self.rank == root else None)[root]
            return
        self._comm.broadcast(*self._in_place(array), root, self._stream())

    def gather(self, value: Any) -> list[Any]:
        if self._mpi is not None:
            return self._mpi.gather(value)
        data = pickle.dumps(value)
        sizes = self._gathered(self._xp.asarray([len(data)], "int64"))[:, 0].tolist()
        row = self._xp.zeros(max(sizes), "uint8")
        row[: len(data)].set(np.frombuffer(data, "uint8"))
        rows = self._gathered(row)
        return [pickle.loads(each[:size].tobytes()) for each, size in zip(rows, sizes, strict=True)]

    def _gathered(self, row: Any) -> Any:
        """Return an array of each rank as a row, on the host."""
        rows = self._xp.empty((self.size, row.size), row.dtype)
        kind = self._type(row)
        self._comm.allGather(row.data.ptr, rows.data.ptr, row.size, kind, self._stream())
        self.wait(self._backend)
        return self._xp.asnumpy(rows)

    def barrier(self) -> None:
        self.gather(None)

    def _in_place(self, array: Any) -> tuple[int, int, int, int]:
        """Return the arguments of a call that replaces an array."""
        return array.data.ptr, array.data.ptr, array.size, self._type(array)

    def _type(self, array: Any) -> int:
        number: int = getattr(self._nccl, f"NCCL_{dtype_name(array.dtype).upper()}")
        return number

    def _stream(self) -> int:
        number: int = self._xp.cuda.get_current_stream().ptr
        return number

    # --------------------------------------------------------------------------------- waiting, and bad news

    def wait(self, backend: Backend) -> None:
        event, begun = self._xp.cuda.Event(disable_timing=True), time.monotonic()
        event.record()
        try:
            while not event.done:
                time.sleep(PAUSE)
                self._comm.check_async_error()
                if self._mpi is not None:
                    self._mpi.look()
                if time.monotonic() - begun > self.timeout:
                    error = f"it has waited {self.timeout:g} s for the others"
                    raise RankFailed(self.rank, error) if self._mpi is None else self._mpi.failure(error)
        except BaseException:
            self._comm.abort()  # else its kernels would wait for ever, and the process with them
            raise

    @contextmanager
    def together(self) -> Iterator[Communicator]:
        with nullcontext() if self._mpi is None else self._mpi.together():
            yield self

    def leave(self, code: int) -> None:
        if self._mpi is None:
            os._exit(code)
        self._mpi.leave(code)
