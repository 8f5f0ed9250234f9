"""The BLAS of NumPy: its name, version and number of threads."""

from contextlib import AbstractContextManager
from typing import Any

from backends import load
from backprop.cli.wording import counted


def blas_threads(multiply_adds: int) -> AbstractContextManager[Any]:
    """Return a context manager that sets the threads for products of that size, as `train` does."""
    return load("numpy").threads_for(multiply_adds)


def threads_in_force() -> int | None:
    """Return the number of threads of a product at this point; None if threadpoolctl does not know."""
    return max((pool["num_threads"] for pool in _pools() or ()), default=None)


def describe_blas() -> str:
    """Return the name, version and number of threads of NumPy's BLAS, in words."""
    pools = _pools()
    if pools is None:
        return "unknown: threadpoolctl is not installed"
    lines = [
        f"{pool['internal_api']} {pool['version']}, {counted(pool['num_threads'], 'thread')}"
        for pool in pools
    ]
    return "; ".join(lines) or "unknown to threadpoolctl"


def _pools() -> list[dict[str, Any]] | None:
    """Return what threadpoolctl knows about each BLAS in this process; None if it is not installed."""
    try:
        from threadpoolctl import threadpool_info
    except ModuleNotFoundError:
        return None
    load("numpy")
    return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
