"""The number of threads of NumPy's BLAS: one, unless a product is huge.

BLAS has one setting for the whole process, so all blocks that limit it are counted: the first one notes the
previous setting, and the last one to exit restores it.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

SMALL = 30_000_000  # multiply-adds of a product; below this, one thread is as fast as two
HUGE = 1_000_000_000  # from here on, BLAS's own threads are as good as several Python threads


def blas_threads(multiply_adds: int) -> AbstractContextManager[Any]:
    """Return a context with one BLAS thread unless the largest product is huge.

    BLAS's threads gain nothing for a small product, and on a busy machine they spin-wait for each other,
    which takes 50 times as long. Several Python threads share the products in between, see product.py.
    Without threadpoolctl the context does nothing.
    """
    return nullcontext() if multiply_adds >= HUGE else _one.hold(1)


def users_blas_threads() -> AbstractContextManager[Any]:
    """Return a context that restores BLAS's threads inside this thread's blocks of `blas_threads`.

    If another Python thread limits BLAS meanwhile, it stays limited.
    """
    return _one.hold(-_one.holds)


def allowed_threads() -> int:
    """Return how many threads BLAS may use outside of `blas_threads`; 1 without threadpoolctl."""
    return _one.allowed()


class _OneThread:
    """A limit of BLAS to one thread, which lasts while any block in any Python thread holds it."""

    def __init__(self) -> None:
        self._lock, self._total_holds, self._per_thread = threading.Lock(), 0, threading.local()
        self._before: list[tuple[Any, int]] = []  # each library and its previous number of threads

    @property
    def holds(self) -> int:
        """The number of blocks of this Python thread that hold the limit."""
        return getattr(self._per_thread, "holds", 0)

    def allowed(self) -> int:
        """Return the number of threads before this limit."""
        before = self._before  # one read, since another thread may replace it
        if before and self._total_holds:
            return max(threads for _, threads in before)
        return max((library.get_num_threads() for library in _libraries()), default=1)

    @contextmanager
    def hold(self, times: int) -> Iterator[None]:
        self._change(times)
        try:
            yield
        finally:
            self._change(-times)

    def _change(self, by: int) -> None:
        with self._lock:
            self._per_thread.holds = self.holds + by
            before, self._total_holds = self._total_holds, self._total_holds + by
            if self._total_holds and not before:
                self._before = [(library, library.get_num_threads()) for library in _libraries()]
                for library, _ in self._before:
                    _set_threads(library, 1)
            elif before and not self._total_holds:
                for library, threads in self._before:
                    _set_threads(library, threads)


_one = _OneThread()


def _set_threads(library: Any, threads: int) -> None:
    # threadpoolctl 3.8 and later lets only the Python thread that first changed OpenBLAS change it again, and
    # ignores others. But the last thread to exit need not be the first that entered.
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(threads)
    release(force=True)


@cache  # it scans all libraries of the process, which takes as long as a training step
def _libraries() -> Sequence[Any]:
    """Return the BLAS libraries of this process; none without threadpoolctl."""
    try:
        from threadpoolctl import ThreadpoolController
    except ModuleNotFoundError:
        return ()
    libraries: Sequence[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return libraries
