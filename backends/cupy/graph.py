"""A loop whose steps are captured once as a CUDA graph and then replayed without Python.

A graph of `count` steps holds the kernels of step(0), …, step(count - 1) and the addresses that they were
launched with. So steps must read and write arrays that stay in place, and whatever changes between replays
(batches, learning rate) must be in arrays: Python numbers are frozen.

No step has to be declared capturable. The loop tries it: a few steps are run eagerly, captured and
replayed. If a single bit differs, or the capture fails, the loop stays eager.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from backends.cupy.array import Array
from backends.cupy.cublas import forget_workspaces
from backends.cupy.launch import CudaBackend
from backends.loop import Loop

OUT_OF_MEMORY = 2  # cudaErrorMemoryAllocation
Step = Callable[[int], None]
TRIAL_STEPS = 2  # steps that are compared; the second depends on the first


class CapturedLoop(Loop):
    """A function that does what step(0), …, step(count - 1) would do, with the same step at every call.

    keep: everything the steps both read and change.  compare: everything else they write that a replay must
    reproduce.  agreed: returns whether something is true on all ranks of the run.
    how: "captured", or "eager: " and the reason; "" before the first call, which decides.
    Raises MemoryError if there is no memory for a graph. Nothing has changed then.
    """

    def __init__(
        self,
        backend: CudaBackend,
        keep: Sequence[Array],
        compare: Sequence[Array],
        agreed: Callable[[bool], bool] = bool,
    ) -> None:
        self._agreed = agreed
        self.how, self._backend, self._keep, self._compare = "", backend, keep, compare
        self._graphs: dict[int, Any] = {}
        self._stream = backend.xp.cuda.Stream(non_blocking=True)  # the default stream cannot be captured
        self._memory = PrivateMemory(backend.xp.cuda)

    def __call__(self, step: Step, count: int, blame: Callable[[], str] = str) -> None:
        try:
            if not self.how:
                self._try_capture(step, min(TRIAL_STEPS, count), blame)
            if self.how == "captured":
                self._graph(step, count).launch()  # on the caller's stream, after all earlier work
        except NotCapturedError as error:
            self._stay_eager(f"a step could not be captured ({error})")
        if self.how != "captured":
            super().__call__(step, count)

    def __del__(self) -> None:
        # Graphs first: their memory must be returned to the pool before the pool is emptied.
        self.__dict__.pop("_graphs", None)
        if memory := self.__dict__.pop("_memory", None):
            memory.release()

    def _try_capture(self, step: Step, count: int, blame: Callable[[], str]) -> None:
        """Decide how to run: run some steps, which also compiles their kernels; replay them; compare."""
        before = [self._backend.copy(array) for array in (*self._keep, *self._compare)]
        try:
            super().__call__(step, count)
            expected = self._bytes()
            self._restore(before)
            graph = self._graph_on_all_ranks(step, count)
            graph.launch()
            same = self._agreed(self._bytes() == expected)
        finally:
            self._restore(before)
        if not same:
            why = "a replayed step differs from an eager one"
            self._stay_eager("; ".join(filter(None, (why, blame()))))
        else:
            self.how = "captured"

    def _graph_on_all_ranks(self, step: Step, count: int) -> Any:
        """Return the graph of the steps; raise NotCapturedError if any rank has none.

        A replay waits for the other ranks, so it must not begin before all of them can.
        """
        try:
            graph = self._graph(step, count)
        except NotCapturedError:
            self._agreed(False)
            raise
        if not self._agreed(True):
            raise NotCapturedError("it was not on another rank")
        return graph

    def _bytes(self) -> list[bytes]:
        """Return everything that the steps leave behind, as bytes, so that NaN equals itself."""
        self._agreed(True)  # hears of a rank that has failed, for which reading would wait in vain
        return [self._backend.to_numpy(array).tobytes() for array in (*self._keep, *self._compare)]

    def _restore(self, values: Sequence[Array]) -> None:
        for array, value in zip((*self._keep, *self._compare), values, strict=True):
            self._backend.write(array, value)

    def _stay_eager(self, why: str) -> None:
        self.how = f"eager: {why}"
        self._graphs.clear()
        self._memory.release()

    def _graph(self, step: Step, count: int) -> Any:
        """Return the graph of that many steps, captured at the first request."""
        if count not in self._graphs:
            try:
                self._graphs[count] = self._record(step, count)
            except MemoryError:
                # CuPy's default pool keeps memory that other work has freed, and a capture cannot empty it.
                self._backend.xp.get_default_memory_pool().free_all_blocks()
                self._graphs[count] = self._record(step, count)
        return self._graphs[count]

    def _record(self, step: Step, count: int) -> Any:
        forget_workspaces()  # a capture must not free one that is in use
        stream = self._stream
        with stream, self._backend.xp.cuda.using_allocator(self._memory.pool.malloc):
            try:
                stream.begin_capture()
                super().__call__(step, count)
                return stream.end_capture()  # fails if a step swallowed an error of the capture
            except BaseException as error:
                # The failure has invalidated the capture, and ending it raises once more.
                with suppress(Exception):
                    stream.end_capture()
                if isinstance(error, MemoryError) or not isinstance(error, Exception):
                    raise
                if getattr(error, "status", None) == OUT_OF_MEMORY:
                    raise MemoryError(f"Out of memory for a CUDA graph of {count} steps") from error
                said = " ".join(str(error).split())
                raise NotCapturedError(f"{type(error).__name__}: {said}") from error
            finally:
                forget_workspaces()  # the capture's is in the private pool


class NotCapturedError(Exception):
    """A step did something that a stream cannot capture; the message says what."""


class PrivateMemory:
    """The memory allocated during captures.  pool: its own CuPy pool.

    Every replay writes there, so nothing else may use that memory while the graph lives. CuPy's pools keep
    freed memory, even beyond their own end, until they are asked to free it.
    """

    _not_empty: list["PrivateMemory"] = []  # released, but some arrays are still referenced
    _releasing = threading.Lock()

    def __init__(self, cuda: Any) -> None:
        self._device, self.pool = cuda.Device(), cuda.MemoryPool(_allocator(cuda))
        self.pool.set_limit(size=0)  # at a limit CuPy would free memory that the graphs write to

    def release(self) -> None:
        """Free all memory without arrays in it, here and in pools that could not be emptied before."""
        self._not_empty.append(self)
        if not self._releasing.acquire(blocking=False):
            return  # the garbage collector may interrupt a release; the next one finishes it
        try:
            for memory in tuple(self._not_empty):
                with suppress(Exception), memory._device:  # after a CUDA error all memory is lost anyway
                    memory.pool.free_all_blocks()
                    if not memory.pool.total_bytes():
                        self._not_empty.remove(memory)
        finally:
            self._releasing.release()


def _allocator(cuda: Any) -> Callable[[int], Any]:
    """Return an allocator of device memory that raises MemoryError.

    Why: when CUDA itself reports that no memory is left, CuPy's pools free their unused memory and try
    again. But the graphs write to that memory at every replay.
    """

    def allocate(size: int) -> Any:
        try:
            return cuda.MemoryPointer(cuda.Memory(size), 0)
        except cuda.runtime.CUDARuntimeError as error:
            if error.status != OUT_OF_MEMORY:
                raise
            raise MemoryError(f"Out of memory allocating {size:,} bytes for a CUDA graph") from error

    return allocate
