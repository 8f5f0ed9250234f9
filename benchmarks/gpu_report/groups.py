"""What is measured, in groups: each has a process of its own and a limit, so that it can spoil no other."""

from typing import NamedTuple

HERE = "benchmarks.gpu_report"
COMPILING = "compiling the CUDA kernels"  # the stage of smoke without which our kernels can do nothing


class Group(NamedTuple):
    """module: has `measure(record, settings)`.  limit: seconds.

    one_thread: for BLAS.  of_others: what others have written, whose errors are not ours.
    live: what it prints is shown as it comes.  without_cub: CuPy compiles its own reductions, not CUB's.
    our_kernels: not begun where smoke could not compile them.  must_end: one that is cut off is a failure.
    """

    module: str
    limit: float
    one_thread: bool = False
    of_others: bool = False
    live: bool = False
    without_cub: bool = False
    our_kernels: bool = False
    must_end: bool = False


# Two commands, each of which ends within nine minutes: the limits of each add up to less than the budget, so
# that a group that takes all of its own leaves the others theirs.
MEASURED = {
    "smoke": Group(f"{HERE}.smoke", 90, live=True, must_end=True),
    "numpy": Group(f"{HERE}.numpy_job", 25, one_thread=True),
    "ours": Group(f"{HERE}.ours", 40, our_kernels=True),
    "pytorch": Group(f"{HERE}.with_pytorch", 60, of_others=True),
    "jax": Group(f"{HERE}.with_jax", 50, of_others=True),
    "big": Group(f"{HERE}.big_step", 40, our_kernels=True),
    "cold": Group(f"{HERE}.cold_start", 40, our_kernels=True),
    "numerical": Group(f"{HERE}.numerical", 60, without_cub=True, our_kernels=True),
    "micro": Group(f"{HERE}.micro", 45, our_kernels=True),
}
AFTERWARDS = {
    "tests": Group(f"{HERE}.gpu_tests", 340, live=True, without_cub=True, must_end=True),
    "private": Group(f"{HERE}.private", 150, of_others=True, live=True),
}
GROUPS = MEASURED | AFTERWARDS


def chosen(text: str | None, rehearsal: bool) -> dict[str, Group]:
    """The groups of a list such as "ours,big".  None: all that is measured; in a rehearsal, all there are.

    Raises ValueError for a name that is none.
    """
    if text is None:
        return GROUPS if rehearsal else MEASURED
    asked = text.split(",")
    if unknown := [name for name in asked if name not in GROUPS]:
        raise ValueError(f"--groups: the groups are {', '.join(GROUPS)}; got {', '.join(unknown)}")
    return {name: group for name, group in GROUPS.items() if name in asked}
