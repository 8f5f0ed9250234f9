"""What is measured, in groups: each has a process of its own and a limit, so that it can spoil no other."""

from typing import NamedTuple

HERE = "benchmarks.gpu_report"


class Group(NamedTuple):
    """module: has `measure(record, settings)`.  limit: seconds.

    one_thread: for BLAS.  of_others: what others have written, whose errors are not ours.
    live: what it prints is shown as it comes.  plain_reductions: CuPy compiles its own, not those of CUB.
    """

    module: str
    limit: float
    one_thread: bool = False
    of_others: bool = False
    live: bool = False
    plain_reductions: bool = False


# Two commands, each of which ends within nine minutes: the limits of each add up to less than the budget, so
# that a group that takes all of its own leaves the others theirs.
MEASURED = {
    "smoke": Group(f"{HERE}.smoke", 90, live=True),
    "numpy": Group(f"{HERE}.numpy_job", 25, one_thread=True),
    "ours": Group(f"{HERE}.ours", 40),
    "pytorch": Group(f"{HERE}.with_pytorch", 60, of_others=True),
    "jax": Group(f"{HERE}.with_jax", 50, of_others=True),
    "big": Group(f"{HERE}.big_step", 40),
    "cold": Group(f"{HERE}.cold_start", 40),
    "numerical": Group(f"{HERE}.numerical", 60, plain_reductions=True),
    "micro": Group(f"{HERE}.micro", 45),
}
AFTERWARDS = {
    "tests": Group(f"{HERE}.gpu_tests", 380, live=True, plain_reductions=True),
    "private": Group(f"{HERE}.private", 110, of_others=True, live=True),
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
