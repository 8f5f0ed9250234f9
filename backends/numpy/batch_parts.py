"""A batch in parts, each small enough for the cache, which Python threads work on side by side.

NumPy releases Python's lock while it computes. BLAS's own threads gain nothing for the small products of a
convolution, so the twins of convolutions split the batch instead. They use as many threads as BLAS may.
"""

import os
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import cache
from queue import SimpleQueue
from typing import Any, TypeVar

from backends.numpy.threads import allowed_threads, blas_threads

MOST = 100  # samples in a part
LEAST = 16  # samples that make a thread worthwhile

T = TypeVar("T")


def parts(count: int, number: int | None = None) -> list[slice]:
    """Return the samples 0, …, count - 1 in parts of nearly equal size.

    number: of parts. By default enough for small parts and for all threads, and at least one.
    """
    if number is None:
        number = max(-(-count // MOST), min(allowed_threads(), count // LEAST), 1)
    edges = [count * i // number for i in range(number + 1)]
    return [slice(*pair) for pair in zip(edges, edges[1:], strict=False)]


def for_each(work: Callable[[int, int], T], number: int) -> list[T]:
    """Return what work(part, worker) returns for each part. Several threads compute, each with one of BLAS.

    worker: a number that no other part has at the same time, for memory to work in.
    """
    workers = max(1, min(allowed_threads(), number))
    shares = [Share(work, range(worker, number, workers), worker) for worker in range(workers)]
    with blas_threads(0):
        try:
            for share in shares[1:]:
                _queue().put(share)
        except RuntimeError:
            pass  # no thread starts while the interpreter exits, or beyond the system's limit
        for share in shares:
            share.run()  # all that no other thread has begun
        for share in shares:
            share.wait()
    for share in shares:
        if share.error is not None:
            raise share.error
    return [shares[part % workers].results[part // workers] for part in range(number)]


class Share:
    """The parts of one thread, and what became of them."""

    def __init__(self, work: Callable[[int, int], Any], numbers: range, worker: int) -> None:
        self.work, self.numbers, self.worker = work, numbers, worker
        self.results: list[Any] = []
        self.error: BaseException | None = None
        self.context = copy_context()  # to which NumPy's settings belong
        self.free, self.done = threading.Lock(), threading.Event()

    def run(self) -> None:
        """Compute the results, or note the error, unless a thread has begun already."""
        if not self.free.acquire(blocking=False):
            return
        try:
            for number in self.numbers:
                self.results.append(self.context.run(self.work, number, self.worker))
        except BaseException as error:
            self.error = error
        self.done.set()

    def wait(self) -> None:
        """Wait for the results; interrupted as well, since they go into memory that the caller uses."""
        while not self.done.is_set():
            try:
                self.done.wait()
            except BaseException as interruption:
                self.error = interruption


@cache
def _queue() -> "SimpleQueue[Share]":
    """Return the queue of the threads, one for each core but that of the caller."""
    queue: SimpleQueue[Share] = SimpleQueue()

    def work() -> None:
        while True:
            queue.get().run()

    for _ in range(max(1, (os.cpu_count() or 1) - 1)):
        threading.Thread(target=work, name="backprop", daemon=True).start()
    return queue


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_queue.cache_clear)  # threads do not survive a fork
