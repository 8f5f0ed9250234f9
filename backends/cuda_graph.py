"""A loop whose steps are recorded once, as a CUDA graph, and then replayed without Python.

A graph of `count` steps holds the kernels of step(0), …, step(count - 1) with the addresses that they were
launched with. So what a step reads and writes must be arrays that stay, and whatever changes from replay to
replay (the batches, the learning rate) must lie in them: numbers are recorded as they were.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from backends.backend import Backend
from backends.cublas import forget_workspaces
from backends.kernels import Array

OUT_OF_MEMORY = 2  # cudaErrorMemoryAllocation


class CapturedLoop:
    """A function of count that does what step(0), …, step(count - 1) would do.

    step: asks nothing of the device that would wait for it, and allocates only through CuPy.
    keep: the arrays that a rehearsal must leave as they were; all others that a step writes are its own.
    Raises RuntimeError where a step cannot be captured, and MemoryError; nothing has changed then.
    """

    def __init__(self, backend: Backend, step: Callable[[int], None], keep: Sequence[Array]) -> None:
        self._backend, self._step, self._keep = backend, step, keep
        self._graphs: dict[int, Any] = {}
        self._stream = backend.xp.cuda.Stream(non_blocking=True)  # the default stream cannot be captured
        self._memory = PrivateMemory(backend.xp.cuda)

    def __call__(self, count: int) -> None:
        graph = self._graphs.get(count)
        if graph is None:
            graph = self._graphs[count] = self._capture(count)
        graph.launch()  # on the caller's stream, so behind all that was asked for before

    def __del__(self) -> None:
        # In this order: what the graphs and the step hold has to be given back before its pool is emptied.
        self.__dict__.pop("_graphs", None)
        self.__dict__.pop("_step", None)
        if memory := self.__dict__.pop("_memory", None):
            memory.release()

    def _capture(self, count: int) -> Any:
        if not self._graphs:
            self._rehearse()
        try:
            return self._record(count)
        except MemoryError:
            # CuPy's default pool keeps what other work has given back. It cannot be emptied in a capture.
            self._backend.xp.get_default_memory_pool().free_all_blocks()
            return self._record(count)

    def _record(self, count: int) -> Any:
        forget_workspaces()  # none that is in use may be freed in a capture
        stream = self._stream
        with stream, self._backend.xp.cuda.using_allocator(self._memory.pool.malloc):
            try:
                stream.begin_capture()
                for i in range(count):
                    self._step(i)
                return stream.end_capture()  # it fails where a step caught an error of the capture
            except BaseException as error:
                # What failed has invalidated the capture, and ending it tells of that once more.
                with suppress(Exception):
                    stream.end_capture()
                if isinstance(error, MemoryError) or not isinstance(error, Exception):
                    raise
                if getattr(error, "status", None) == OUT_OF_MEMORY:
                    raise MemoryError(f"Out of memory for a CUDA graph of {count} steps") from error
                raise RuntimeError(
                    f"a step could not be captured as a CUDA graph ({type(error).__name__}: {error}); a "
                    "layer or optimizer of your own that asks something of the device while it computes must "
                    "say `capturable = False`"
                ) from error
            finally:
                forget_workspaces()  # that of the capture lies in the private pool

    def _rehearse(self) -> None:
        """Do a step for real, since kernels cannot be compiled and loaded while a stream is captured."""
        before = [self._backend.copy(array) for array in self._keep]
        try:
            self._step(0)
        finally:
            for array, values in zip(self._keep, before, strict=True):
                self._backend.write(array, values)


class PrivateMemory:
    """What is allocated while a graph is captured.  pool: a CuPy pool of its own.

    Every replay writes there, so nobody else may be given that memory as long as the graph lives. CuPy's
    pools keep what was given back to them, even beyond their own end, until they are asked to free it.
    """

    _not_empty: list["PrivateMemory"] = []  # released ones, with arrays that somebody still holds
    _releasing = threading.Lock()

    def __init__(self, cuda: Any) -> None:
        self._device, self.pool = cuda.Device(), cuda.MemoryPool(_allocator(cuda))
        self.pool.set_limit(size=0)  # at a limit, too, CuPy would free what the graphs write

    def release(self) -> None:
        """Give back all that no array is in, here and in the pools that could not be emptied before."""
        self._not_empty.append(self)
        if not self._releasing.acquire(blocking=False):
            return  # the garbage collector may call this in the middle of itself; the next call does it
        try:
            for memory in tuple(self._not_empty):
                with suppress(Exception), memory._device:  # after an error of CUDA all memory is lost anyway
                    memory.pool.free_all_blocks()
                    if not memory.pool.total_bytes():
                        self._not_empty.remove(memory)
        finally:
            self._releasing.release()


def _allocator(cuda: Any) -> Callable[[int], Any]:
    """Memory of the device for a pool, or MemoryError.

    Why: where CUDA itself says that there is none left, CuPy's pools free what was given back to them and try
    again. But the graphs write into that at every replay.
    """

    def allocate(size: int) -> Any:
        try:
            return cuda.MemoryPointer(cuda.Memory(size), 0)
        except cuda.runtime.CUDARuntimeError as error:
            if error.status != OUT_OF_MEMORY:
                raise
            raise MemoryError(f"Out of memory allocating {size:,} bytes for a CUDA graph") from error

    return allocate
