"""NumPy's BLAS: which one it is, and how many threads it takes."""

from contextlib import AbstractContextManager
from typing import Any

from backends import load


def blas_threads(multiply_adds: int) -> AbstractContextManager[Any]:
    """Inside, the threads that suit products of that size, as in a training on NumPy."""
    return load("numpy").threads_for(multiply_adds)


def threads_in_force() -> int | None:
    """How many threads a product takes here and now; None where threadpoolctl cannot say."""
    return max((pool["num_threads"] for pool in _pools() or ()), default=None)


def describe_blas() -> str:
    """The BLAS that NumPy's products run on, in words."""
    pools = _pools()
    if pools is None:
        return "unknown: threadpoolctl is not installed"
    said = [f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} thread(s)" for pool in pools]
    return "; ".join(said) or "unknown to threadpoolctl"


def _pools() -> list[dict[str, Any]] | None:
    """What threadpoolctl knows of each BLAS in this process; None where it is not installed."""
    try:
        from threadpoolctl import threadpool_info
    except ModuleNotFoundError:
        return None
    load("numpy")
    return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
