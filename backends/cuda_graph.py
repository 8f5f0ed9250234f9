"""A loop whose steps are recorded once, as a CUDA graph, and then replayed without Python.

A graph of `count` steps holds the kernels of step(0), …, step(count - 1) with the addresses that they were
launched with. So what a step reads and writes must be arrays that stay, and whatever changes from replay to
replay (the batches, the learning rate) must lie in them: numbers are recorded as they were.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from backends.kernels import Array


class CapturedLoop:
    """A function of count that does what step(0), …, step(count - 1) would do.

    step: asks nothing of the device that would wait for it, and allocates only through CuPy.
    keep: the arrays that a rehearsal must leave as they were; all others that a step writes are its own.
    Raises RuntimeError where a step cannot be captured; nothing has changed then.
    """

    def __init__(self, cupy: Any, step: Callable[[int], None], keep: Sequence[Array]) -> None:
        self._cupy, self._step, self._keep = cupy, step, keep
        self._graphs: dict[int, Any] = {}
        # What is allocated while a graph is captured is written by every replay. It comes from a pool of the
        # graph's own, so that nobody else is given that memory as long as the graph lives.
        self._pool = cupy.cuda.MemoryPool()
        self._stream = cupy.cuda.Stream(non_blocking=True)  # the default stream cannot be captured

    def __call__(self, count: int) -> None:
        graph = self._graphs.get(count)
        if graph is None:
            graph = self._graphs[count] = self._capture(count)
        graph.launch()  # on the caller's stream, so behind all that was asked for before

    def _capture(self, count: int) -> Any:
        if not self._graphs:
            self._rehearse()
        stream = self._stream
        with stream, self._cupy.cuda.using_allocator(self._pool.malloc):
            stream.begin_capture()
            try:
                for i in range(count):
                    self._step(i)
            except BaseException as error:
                # What failed has invalidated the capture, and ending it tells of that once more.
                with suppress(Exception):
                    stream.end_capture()
                if isinstance(error, MemoryError) or not isinstance(error, Exception):
                    raise
                raise RuntimeError(
                    f"a step could not be captured as a CUDA graph ({type(error).__name__}: {error}); a "
                    "layer or optimizer of your own that asks something of the device while it computes must "
                    "say `capturable = False`"
                ) from error
            graph = stream.end_capture()
        return graph

    def _rehearse(self) -> None:
        """Do a step for real, since kernels cannot be compiled and loaded while a stream is captured."""
        before = [array.copy() for array in self._keep]
        try:
            self._step(0)
        finally:
            for array, values in zip(self._keep, before, strict=True):
                array.data.copy_from_device_async(values.data, values.nbytes)
