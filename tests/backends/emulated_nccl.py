"""NCCL without a GPU: MPI moves data between real processes, in the memory that stands for that of a device.

As a kernel does, a call joins a capture and then runs at every replay. What NCCL refuses, or where it would
wait for ever or mix up memory, raises an error here.
"""

import os
import secrets

import numpy as np

DTYPES = ("int8", "uint8", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64")
OPERATIONS = ("SUM", "PROD", "MAX", "MIN", "AVG")
INVALID_ARGUMENT, INVALID_USAGE = 4, 5


class NcclError(RuntimeError):
    """The error `cupy.cuda.nccl.NcclError`."""

    def __init__(self, status, why):
        super().__init__(f"NCCL error {status}: {why}")
        self.status = status


class EmulatedNccl:
    """A stand-in for the module `cupy.cuda.nccl`.

    calls: (name, count, dtype) of all that were made, recorded or not.  aborted: how often.
    broken: what `check_async_error` raises.
    """

    available = True

    def __init__(self, cupy):
        self.cupy, self.calls, self.aborted, self.broken = cupy, [], 0, None
        for number, name in enumerate(DTYPES):
            setattr(self, f"NCCL_{name.upper()}", number)
        for number, name in enumerate(OPERATIONS):
            setattr(self, f"NCCL_{name}", number)

    def get_unique_id(self):
        address = os.environ.get("NCCL_COMM_ID")
        name = secrets.token_bytes(128) if address is None else address.encode().ljust(128, b"\0")
        return tuple(name)

    def NcclCommunicator(self, ndev, commId, rank):
        return Communicator(self, ndev, commId, rank)

    def memory(self, address, nbytes):
        """Return the bytes at an address of the device, which must be in use."""
        for start, reference in self.cupy.in_use.items():
            block = reference()
            if block is not None and start <= address and address + nbytes <= start + len(block.store):
                return block.store[address - start :][:nbytes]
        if nbytes:
            raise NcclError(INVALID_ARGUMENT, f"no memory of the device at {address}")
        return np.empty(0, np.uint8)


class Communicator:
    """A stand-in for `NcclCommunicator`."""

    def __init__(self, nccl, size, name, rank):
        if not isinstance(name, tuple) or len(name) != 128:
            raise AssertionError("the id is a tuple of 128 bytes")
        self.nccl, self.count, self.comm = nccl, size, None
        if size > 1:
            from mpi4py import MPI

            self.comm = MPI.COMM_WORLD.Dup()
            assert (self.comm.rank, self.comm.size) == (rank, size), "NCCL would wait for ever"
            seen = self.comm.allgather((name, nccl.cupy.cuda.Device().pci_bus_id))
            assert len({name for name, _ in seen}) == 1, "NCCL would wait for ever"
            if len({gpu for _, gpu in seen}) < size:
                raise NcclError(INVALID_USAGE, "Duplicate GPU detected")

    def allReduce(self, source, target, count, datatype, operation, stream):
        if operation not in range(len(OPERATIONS)):
            raise NcclError(INVALID_ARGUMENT, f"operation {operation}")
        assert OPERATIONS[operation] == "AVG", "nothing else is emulated"

        def work(given, taken):
            total = given.copy()
            if self.comm is not None:
                self.comm.Allreduce(given, total)
            taken[...] = total / self.count

        self.do("allReduce", source, target, count, count, datatype, stream, work, operation)

    def broadcast(self, source, target, count, datatype, root, stream):
        if root not in range(self.count):
            raise NcclError(INVALID_ARGUMENT, f"root {root}")

        def work(given, taken):
            taken[...] = given
            if self.comm is not None:
                self.comm.Bcast(taken, root)

        self.do("broadcast", source, target, count, count, datatype, stream, work, root)

    def allGather(self, source, target, count, datatype, stream):
        def work(given, taken):
            if self.comm is None:
                taken[...] = given
            else:
                self.comm.Allgather(given, taken)

        self.do("allGather", source, target, count, count * self.count, datatype, stream, work)

    def do(self, name, source, target, count, received, datatype, stream, work, *more):
        """Let the device do this work, with the values at source and target."""
        if self.count == 0:
            raise NcclError(INVALID_ARGUMENT, "the communicator was aborted")
        if datatype not in range(len(DTYPES)):
            raise NcclError(INVALID_ARGUMENT, f"datatype {datatype}")
        assert stream == self.nccl.cupy.stream.ptr, "work on another stream"
        dtype = np.dtype(DTYPES[datatype])
        given = self.nccl.memory(source, count * dtype.itemsize).view(dtype)
        taken = self.nccl.memory(target, received * dtype.itemsize).view(dtype)
        self.nccl.calls.append((name, count, dtype.name))

        def together():
            if self.comm is not None:
                calls = set(self.comm.allgather((name, count, datatype, *more)))
                assert len(calls) == 1, f"NCCL would wait for ever or mix up memory: {calls}"
            work(given, taken)

        self.nccl.cupy.do(together)

    def check_async_error(self):
        if self.nccl.broken is not None:
            raise self.nccl.broken

    def abort(self):
        self.nccl.aborted += 1
        self.count = 0
