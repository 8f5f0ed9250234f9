"""What is measured, in groups: each has a process of its own and a limit, so that it can spoil no other."""

from typing import NamedTuple

HERE = "benchmarks.gpu_report"


class Group(NamedTuple):
    """module: has `measure(record, settings)`.  limit: seconds.

    one_thread: for BLAS.  of_others: a group of other libraries, whose errors are not ours.
    """

    module: str
    limit: float
    one_thread: bool = False
    of_others: bool = False


# The limits add up to the budget: a group that takes all of its own leaves the others theirs.
GROUPS = {
    "numpy": Group(f"{HERE}.numpy_job", 20, one_thread=True),
    "ours": Group(f"{HERE}.ours", 30),
    "pytorch": Group(f"{HERE}.with_pytorch", 45, of_others=True),
    "jax": Group(f"{HERE}.with_jax", 40, of_others=True),
    "big": Group(f"{HERE}.big_step", 30),
    "cold": Group(f"{HERE}.cold_start", 20),
    "numerical": Group(f"{HERE}.numerical", 25),
    "micro": Group(f"{HERE}.micro", 15),
    "tests": Group(f"{HERE}.gpu_tests", 120),
}


def chosen(text: str | None) -> dict[str, Group]:
    """The groups of a list such as "ours,big", or all.  Raises ValueError for a name that is none."""
    if text is None:
        return GROUPS
    asked = text.split(",")
    if unknown := [name for name in asked if name not in GROUPS]:
        raise ValueError(f"--groups: the groups are {', '.join(GROUPS)}; got {', '.join(unknown)}")
    return {name: group for name, group in GROUPS.items() if name in asked}
