"""The rank of a process that was launched beside others, from the variables that launchers set."""

import os
from typing import Any, NamedTuple

from backends.messages import shown

# The innermost launcher first: mpiexec may run inside a job of Slurm.
VARIABLES = {
    "Open MPI": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    "MPICH": ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    "torchrun": ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    # Not SLURM_NTASKS, which a batch script has although it runs once.
    "Slurm": ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
}


class Launch(NamedTuple):
    """A process among those that were launched together.

    Parameters
    ----------
    launcher : str
        "" for a process that was started alone.
    rank, size, local_rank : int
        Its number, how many there are, and its number among those of its machine.
    """

    launcher: str
    rank: int
    size: int
    local_rank: int


def launched() -> Launch:
    """Return what the environment says. Raises ValueError for a variable that is no such number."""
    for launcher, names in VARIABLES.items():
        rank, size = (os.environ.get(name) for name in names[:2])
        if rank is not None and size is not None:
            numbers = [_number(name, os.environ.get(name, "0")) for name in names]
            if not numbers[0] < numbers[1]:
                raise ValueError(f"{names[0]} must be below {names[1]}, got {numbers[0]} and {numbers[1]}")
            return Launch(launcher, *numbers)
    return Launch("", 0, 1, 0)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name} must be a whole number, as a launcher sets it, got {text!r}")
    return int(text)


def timeout_of(seconds: Any) -> float:
    """Return for how many seconds a rank waits for the others: by default BACKPROP_TIMEOUT, else 300."""
    what, value = "timeout", seconds
    if seconds is None:
        what, value = "the environment variable BACKPROP_TIMEOUT", os.environ.get("BACKPROP_TIMEOUT") or 300
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not number > 0:
        raise ValueError(f"{what} must be a number of seconds above 0, got {shown(value)}")
    return number
