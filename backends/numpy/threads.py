"""How many threads NumPy's BLAS takes: one for small products.

BLAS has one number of threads for the whole process. So all blocks that hold it to one are counted: the first
of them notes what was there before, and the last one out restores it.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

SMALL = 30_000_000  # multiply-adds of a product, up to which one thread is as good as two


def blas_threads(multiply_adds: int) -> AbstractContextManager[Any]:
    """Inside, one BLAS thread if the largest product is small.  Without threadpoolctl it changes nothing.

    Why: two gain nothing there, and on a busy machine they wait for each other in a loop, 50 times as long.
    """
    return nullcontext() if multiply_adds >= SMALL else _one.hold(1)


def users_blas_threads() -> AbstractContextManager[Any]:
    """Inside, within blocks of `blas_threads` of this thread, the threads that were there before them.

    Where another Python thread holds BLAS to one meanwhile, it stays at one.
    """
    return _one.hold(-_one.holds)


class _OneThread:
    """A limit of BLAS to one thread, in force while any block holds it, in whichever Python thread."""

    def __init__(self) -> None:
        self._lock, self._holds_of_all, self._of_this = threading.Lock(), 0, threading.local()
        self._before: list[tuple[Any, int]] = []  # each library, and the threads that it had

    @property
    def holds(self) -> int:
        """How many blocks of this Python thread hold it."""
        return getattr(self._of_this, "holds", 0)

    @contextmanager
    def hold(self, times: int) -> Iterator[None]:
        self._change(times)
        try:
            yield
        finally:
            self._change(-times)

    def _change(self, by: int) -> None:
        with self._lock:
            self._of_this.holds = self.holds + by
            before, self._holds_of_all = self._holds_of_all, self._holds_of_all + by
            if self._holds_of_all and not before:
                self._before = [(library, library.get_num_threads()) for library in _libraries()]
                for library, _ in self._before:
                    _set_threads(library, 1)
            elif before and not self._holds_of_all:
                for library, threads in self._before:
                    _set_threads(library, threads)


_one = _OneThread()


def _set_threads(library: Any, threads: int) -> None:
    # From 3.8 on, threadpoolctl lets only the Python thread change OpenBLAS that changed it first, and
    # ignores all others. But the last one out need not be the first one in.
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(threads)
    release(force=True)


@cache  # it looks through all libraries of the process, which takes as long as a step
def _libraries() -> Sequence[Any]:
    """The BLAS libraries of this process; none without threadpoolctl."""
    try:
        from threadpoolctl import ThreadpoolController
    except ModuleNotFoundError:
        return ()
    libraries: Sequence[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return libraries
