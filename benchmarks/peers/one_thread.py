"""One thread for all peers: at this size a second one gains almost nothing, and costs on a busy machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def set_variables(threads: int = 1) -> None:
    """Limit every BLAS and OpenMP loaded from now on to so many threads; call it before NumPy is imported."""
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))


@contextmanager
def one_thread(core: int | None = None) -> Iterator[None]:
    """Limit BLAS to one thread, and this process and its children to one core, in the block.

    core: its number; None for the last one that this process may use.
    The core is what limits JAX: its pool takes a thread per core when it is first used, and XLA's own flag,
    --xla_cpu_multi_thread_eigen=false, does not prevent that. PyTorch is limited by its peers. On a system
    that cannot pin a process to a core, JAX may use more.
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
    """Return the number of threads of each loaded library, and the number of cores of this process."""
    from threadpoolctl import threadpool_info

    pools = {f"{pool['internal_api']} {pool['version']}": pool["num_threads"] for pool in threadpool_info()}
    held = hasattr(os, "sched_getaffinity")
    return {"held to cores": len(os.sched_getaffinity(0)) if held else "all", **pools}
