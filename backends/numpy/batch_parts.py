"""A batch in parts, each small enough for the cache, which Python threads work on side by side.

NumPy releases Python's lock while it computes. BLAS's own threads gain nothing for the small products of a
convolution, so the twins of convolutions split the batch instead. They use as many threads as BLAS may.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache
from typing import TypeVar

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
    workers = min(allowed_threads(), number)
    shares: list[Future[list[T]]] = [Future() for _ in range(workers)]

    def several(worker: int) -> list[T]:
        return [work(part, worker) for part in range(worker, number, workers)]

    def run(worker: int) -> None:
        share = shares[worker]
        if share.set_running_or_notify_cancel():
            try:
                share.set_result(several(worker))
            except BaseException as error:
                share.set_exception(error)

    with blas_threads(0):
        try:
            for worker in range(1, workers):
                _pool().submit(copy_context().run, run, worker)
        except RuntimeError:
            pass  # no thread starts while the interpreter exits, or beyond the system's limit
        try:
            # This thread also takes every share that no other thread has begun.
            own = {worker: several(worker) for worker, share in enumerate(shares) if share.cancel()}
        finally:
            # A thread that has begun writes into memory that the caller goes on to use.
            wait([share for share in shares if not share.cancel()])
    results = [own[worker] if worker in own else share.result() for worker, share in enumerate(shares)]
    return [results[part % workers][part // workers] for part in range(number)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), "backprop")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
