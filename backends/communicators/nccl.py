"""NCCL by CuPy: one GPU per process. Means and broadcasts run on the current stream, also in a CUDA graph."""

import os
import pickle
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import numpy as np

from backends.backend import Backend
from backends.communicators.communicator import Communicator, RankFailed
from backends.communicators.launch import Launch, launched, timeout_of
from backends.communicators.mpi import Mpi
from backends.dtypes import dtype_name
from backends.messages import cut
from backends.registry import load

PAUSE = 0.0001  # seconds between two questions whether the device is done
PATIENCE = 5.0  # seconds for the device to end its work after an error
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
        If CuPy finds no NCCL, and without mpi4py for ranks that `mpiexec` has started.
    RuntimeError
        If two processes have the same GPU, or NCCL cannot connect them.
    ValueError
        If a variable is missing, or the timeout is no number above 0.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self.timeout, launch = timeout_of(timeout), launched()
        self._backend = cast(Any, load("cupy"))
        self._xp, self._nccl = self._backend.xp, self._backend.nccl()
        self._mpi = Mpi(timeout=timeout) if launch.launcher in BY_MPI else None
        self.rank, self.size = launch.rank, launch.size
        self.local_rank = launch.local_rank if self._mpi is None else self._mpi.local_rank
        device = self._xp.cuda.Device(self.local_rank % self._xp.cuda.runtime.getDeviceCount())
        device.use()
        if self._mpi is not None:
            import platform  # here, since it is slow to import

            gpus = self._mpi.gather((platform.node(), device.pci_bus_id))
            if len(set(gpus)) < self.size:
                rule = f"each process needs its own GPU, but {self.size} have {len(set(gpus))}"
                raise RuntimeError(f'Nccl: {rule}; start fewer, or choose "mpi", where they can share one')
        name = self._id(launch)
        try:
            self._comm = self._nccl.NcclCommunicator(self.size, name, self.rank)
        except Exception as error:  # NcclError, or KeyError for a status that CuPy does not know
            rule = "each process needs its own GPU, and all of them NCCL's port"
            raise RuntimeError(f"Nccl: NCCL cannot connect: {rule} ({cut(repr(error))})") from error

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

    def mean(self, array: Any) -> None:
        if type(array) is not self._xp.ndarray:
            array[...] = sum(self.gather(array)) / self.size
            return
        kind = getattr(self._nccl, f"NCCL_{dtype_name(array.dtype).upper()}")
        at = _address("mean", array)
        self._comm.allReduce(at, at, array.size, kind, self._nccl.NCCL_AVG, self._stream())

    def broadcast(self, array: Any, root: int = 0) -> None:
        if type(array) is not self._xp.ndarray:
            array[...] = self.gather(array if self.rank == root else None)[root]
            return
        at = _address("broadcast", array)  # bytes, since NCCL does not know every dtype
        self._comm.broadcast(at, at, array.nbytes, self._nccl.NCCL_UINT8, root, self._stream())

    def gather(self, value: Any) -> list[Any]:
        self.wait(self._backend)  # so nothing that reads a result afterwards waits for a rank that has failed
        if self._mpi is not None:
            return self._mpi.gather(value)
        data = pickle.dumps(value)
        sizes = [int.from_bytes(row, "little") for row in self._gathered(len(data).to_bytes(8, "little"))]
        rows = self._gathered(data.ljust(max(sizes), b"\0"))
        return [pickle.loads(row) for row in rows]  # which ends before the zeros

    def _gathered(self, data: bytes) -> list[bytes]:
        """Return the bytes of all ranks, as many of each, through their devices."""
        row = self._xp.asarray(np.frombuffer(data, "uint8"))
        rows = self._xp.empty((self.size, row.size), "uint8")
        self._comm.allGather(row.data.ptr, rows.data.ptr, row.size, self._nccl.NCCL_UINT8, self._stream())
        self.wait(self._backend)
        return [each.tobytes() for each in self._xp.asnumpy(rows)]

    def barrier(self) -> None:
        self.gather(None)

    def _stream(self) -> int:
        number: int = self._xp.cuda.get_current_stream().ptr
        return number

    # --------------------------------------------------------------------------------- waiting, and bad news

    def wait(self, backend: Backend) -> None:
        try:
            if self._mpi is not None:
                self._mpi.barrier()  # a rank that hangs is found here; what a device has to do may take long
            event, begun = self._recorded(), time.monotonic()
            while not event.done:
                time.sleep(PAUSE)
                self._look()
                if self._mpi is None and time.monotonic() - begun > self.timeout:
                    raise RankFailed(self.rank, f"it has waited {self.timeout:g} s for the others")
        except BaseException:
            self._comm.abort()  # else its kernels would wait for ever, and the process with them
            raise

    def _recorded(self) -> Any:
        """Return an event that is done when the device has done its work so far."""
        event = self._xp.cuda.Event(disable_timing=True)
        event.record()
        return event

    def _look(self) -> None:
        """Raise RankFailed if another rank has told of a failure, or NCCL has seen one."""
        if self._mpi is not None:
            self._mpi.look()
        try:
            self._comm.check_async_error()
        except Exception as error:  # NcclError, or KeyError for a status that CuPy does not know
            said = f"NCCL has failed ({cut(repr(error))})"
            raise RankFailed(self.rank, said) if self._mpi is None else self._mpi.failure(said) from error

    @contextmanager
    def together(self) -> Iterator[Communicator]:
        self.failed = False
        try:
            with nullcontext() if self._mpi is None else self._mpi.together():
                yield self
        except BaseException:
            self.failed, self.speaker = True, 0 if self._mpi is None else self._mpi.speaker
            if not self._settles():
                self._comm.abort()
            raise

    def _settles(self) -> bool:
        """Return whether the device soon ends its work, which may need ranks that no longer take part."""
        try:
            event, until = self._recorded(), time.monotonic() + PATIENCE
            while not event.done and time.monotonic() < until:
                time.sleep(PAUSE)
            return bool(event.done)
        except Exception:  # of CUDA, which is of no use any more
            return False

    def leave(self, code: int) -> None:
        if self._mpi is not None:
            self._mpi.leave(code)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _address(where: str, array: Any) -> int:
    """Return where an array begins. Raises ValueError if it has gaps, which NCCL would not notice."""
    if not array.flags.c_contiguous:
        raise ValueError(f"Nccl.{where}: array must be contiguous, got one of shape {array.shape} with gaps")
    address: int = array.data.ptr
    return address
