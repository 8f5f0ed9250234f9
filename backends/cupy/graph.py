"""A loop whose steps are recorded once, as a CUDA graph, and then replayed without Python.

A graph of `count` steps holds the kernels of step(0), …, step(count - 1) with the addresses that they were
launched with. So what a step reads and writes must be arrays that stay, and whatever changes from replay to
replay (the batches, the learning rate) must lie in them: numbers are recorded as they were.

Nobody declares that a step is like that. It is tried: a few steps are run one by one, recorded and replayed,
and where a single bit differs, or where they cannot be recorded, the loop runs them one by one for ever.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from backends.array import Array
from backends.backend import Backend
from backends.cupy.cublas import forget_workspaces
from backends.loop import Loop

OUT_OF_MEMORY = 2  # cudaErrorMemoryAllocation
Step = Callable[[int], None]
TRIED = 2  # steps that are compared: the second one builds upon the first


class CapturedLoop(Loop):
    """A function that does what step(0), …, step(count - 1) would do, the same step at every call.

    keep: what the steps change and build upon.  compare: what else they write that a replay must write alike.
    how: "captured", or "eager: " and the reason; "" before the first call, which tries it.
    Raises MemoryError where there is none for a graph; nothing has changed then.
    """

    def __init__(self, backend: Backend, keep: Sequence[Array], compare: Sequence[Array]) -> None:
        self.how, self._backend, self._keep, self._compare = "", backend, keep, compare
        self._graphs: dict[int, Any] = {}
        self._stream = backend.xp.cuda.Stream(non_blocking=True)  # the default stream cannot be captured
        self._memory = PrivateMemory(backend.xp.cuda)

    def __call__(self, step: Step, count: int, blame: Callable[[], str] = str) -> None:
        try:
            if not self.how:
                self._try(step, min(TRIED, count), blame)
            if self.how == "captured":
                self._graph(step, count).launch()  # on the caller's stream, behind all asked for before
        except NotCapturedError as error:
            self._stay_eager(f"a step could not be captured ({error})")
        if self.how != "captured":
            super().__call__(step, count)

    def __del__(self) -> None:
        # In this order: what the graphs hold has to be given back before its pool is emptied.
        self.__dict__.pop("_graphs", None)
        if memory := self.__dict__.pop("_memory", None):
            memory.release()

    def _try(self, step: Step, count: int, blame: Callable[[], str]) -> None:
        """Decide how the steps run: run some, which also compiles what they need; replay them; compare."""
        before = [self._backend.copy(array) for array in (*self._keep, *self._compare)]
        try:
            super().__call__(step, count)
            expected = self._bytes()
            self._put_back(before)
            self._graph(step, count).launch()
            differs = self._bytes() != expected
        finally:
            self._put_back(before)
        if differs:
            why = "a replayed step differs from one that Python runs"
            self._stay_eager("; ".join(filter(None, (why, blame()))))
        else:
            self.how = "captured"

    def _bytes(self) -> list[bytes]:
        """All that the steps leave behind, as bytes, of which NaN, too, equals itself."""
        return [self._backend.to_numpy(array).tobytes() for array in (*self._keep, *self._compare)]

    def _put_back(self, values: Sequence[Array]) -> None:
        for array, value in zip((*self._keep, *self._compare), values, strict=True):
            self._backend.write(array, value)

    def _stay_eager(self, why: str) -> None:
        self.how = f"eager: {why}"
        self._graphs.clear()
        self._memory.release()

    def _graph(self, step: Step, count: int) -> Any:
        """Return the graph of that many steps, recorded when first asked for."""
        if count not in self._graphs:
            try:
                self._graphs[count] = self._record(step, count)
            except MemoryError:
                # CuPy's default pool keeps what other work has given back. A capture cannot empty it.
                self._backend.xp.get_default_memory_pool().free_all_blocks()
                self._graphs[count] = self._record(step, count)
        return self._graphs[count]

    def _record(self, step: Step, count: int) -> Any:
        forget_workspaces()  # none that is in use may be freed in a capture
        stream = self._stream
        with stream, self._backend.xp.cuda.using_allocator(self._memory.pool.malloc):
            try:
                stream.begin_capture()
                super().__call__(step, count)
                return stream.end_capture()  # it fails where a step caught an error of the capture
            except BaseException as error:
                # What failed has invalidated the capture, and ending it tells of that once more.
                with suppress(Exception):
                    stream.end_capture()
                if isinstance(error, MemoryError) or not isinstance(error, Exception):
                    raise
                if getattr(error, "status", None) == OUT_OF_MEMORY:
                    raise MemoryError(f"Out of memory for a CUDA graph of {count} steps") from error
                said = " ".join(str(error).split())
                raise NotCapturedError(f"{type(error).__name__}: {said}") from error
            finally:
                forget_workspaces()  # that of the capture lies in the private pool


class NotCapturedError(Exception):
    """A step asked for something that a stream cannot do while it is captured; the message says what."""


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
