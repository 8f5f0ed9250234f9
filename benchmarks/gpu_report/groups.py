"""The groups of measurements, each with its own process and time limit, so that none spoils another."""

from typing import NamedTuple

HERE = "benchmarks.gpu_report"
COMPILING = "compiling the CUDA kernels"  # the stage of smoke that all our kernels depend on


class Group(NamedTuple):
    """A group of measurements.

    module: has `measure(record, settings)`.  limit: seconds.  one_thread: run BLAS on one thread.
    of_others: measures other libraries, whose errors are not ours.  live: show its output as it comes.
    without_cub: CuPy compiles its own reductions instead of CUB's.
    our_kernels: skipped if smoke could not compile them.  must_end: being cut off is a failure.
    """

    module: str
    limit: float
    one_thread: bool = False
    of_others: bool = False
    live: bool = False
    without_cub: bool = False
    our_kernels: bool = False
    must_end: bool = False


# Two commands, each of which ends within nine minutes. Its limits add up to less than the budget, so a group
# that takes all of its time leaves the others theirs.
MEASURED = {
    "smoke": Group(f"{HERE}.smoke", 90, live=True, must_end=True),
    "numpy": Group(f"{HERE}.numpy_job", 20, one_thread=True),
    "ours": Group(f"{HERE}.ours", 30, our_kernels=True),
    "pytorch": Group(f"{HERE}.with_pytorch", 60, of_others=True),
    "jax": Group(f"{HERE}.with_jax", 35, of_others=True),
    "race": Group(f"{HERE}.race", 20, our_kernels=True),
    "race-pytorch": Group(f"{HERE}.race_pytorch", 20, of_others=True),
    "race-jax": Group(f"{HERE}.race_jax", 20, of_others=True),
    "convolution": Group(f"{HERE}.convolution", 25, our_kernels=True),
    "convolution-pytorch": Group(f"{HERE}.convolution_pytorch", 30, of_others=True),
    "big": Group(f"{HERE}.big_step", 25, our_kernels=True),
    "cold": Group(f"{HERE}.cold_start", 30, our_kernels=True),
    "numerical": Group(f"{HERE}.numerical", 50, without_cub=True, our_kernels=True),
    "micro": Group(f"{HERE}.micro", 45, our_kernels=True),
}
AFTERWARDS = {
    "tests": Group(f"{HERE}.gpu_tests", 340, live=True, without_cub=True, must_end=True),
    "private": Group(f"{HERE}.private", 150, of_others=True, live=True),
}
GROUPS = MEASURED | AFTERWARDS


def chosen(text: str | None, rehearsal: bool) -> dict[str, Group]:
    """Return the groups named in a list such as "ours,big".

    text: None for all that are measured by default; in a rehearsal, all there are.
    Raises ValueError for an unknown name.
    """
    if text is None:
        return GROUPS if rehearsal else MEASURED
    asked = text.split(",")
    if unknown := [name for name in asked if name not in GROUPS]:
        raise ValueError(f"--groups: the groups are {', '.join(GROUPS)}; got {', '.join(unknown)}")
    return {name: group for name, group in GROUPS.items() if name in asked}
