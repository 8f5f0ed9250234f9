"""One thread for everybody: at this size a second one gains next to nothing, and costs on a busy machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def set_variables() -> None:
    """One thread for every BLAS and OpenMP that is loaded from now on: call it before NumPy is imported."""
    os.environ.update(dict.fromkeys(VARIABLES, "1"))


@contextmanager
def one_thread(core: int | None = None) -> Iterator[None]:
    """Inside, BLAS computes on one thread, and this process and those that it starts stay on one core.

    core: its number; the last that this process may use where None.
    The core is what holds JAX: its pool has as many threads as there are cores when it is first used, and
    XLA's own flag, --xla_cpu_multi_thread_eigen=false, does not keep it from them. PyTorch is told by its
    peers. Where a system cannot hold a process to a core, JAX may take more.
    """
    from threadpoolctl import threadpool_limits

    cores = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
    if cores:
        os.sched_setaffinity(0, {max(cores) if core is None else core})
    try:
        with threadpool_limits(1):
            yield
    finally:
        if cores:
            os.sched_setaffinity(0, cores)


def in_words() -> dict[str, object]:
    """How many threads each library that is loaded has, and on how many cores this process may run."""
    from threadpoolctl import threadpool_info

    pools = {f"{pool['internal_api']} {pool['version']}": pool["num_threads"] for pool in threadpool_info()}
    held = hasattr(os, "sched_getaffinity")
    return {"held to cores": len(os.sched_getaffinity(0)) if held else "all", **pools}
