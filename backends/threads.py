"""How many threads NumPy's BLAS takes: one for small products."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

SMALL = 30_000_000  # multiply-adds of a product, up to which one thread is as good as two


def blas_threads(multiply_adds: int) -> AbstractContextManager[Any]:
    """Inside, one BLAS thread if the largest product is small.  Without threadpoolctl it changes nothing.

    Why: two gain nothing there, and on a busy machine they wait for each other in a loop, 50 times as long.
    """
    if multiply_adds >= SMALL:
        return nullcontext()
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits
