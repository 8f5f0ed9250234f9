"""A loop of steps: run one by one, or recorded once and replayed where a backend can."""

from collections.abc import Callable


class Loop:
    """A function that does step(0), …, step(count - 1), the same step at every call.

    how: "captured", or "eager: " and why they run one by one; known after the first call.
    """

    def __init__(self, why: str) -> None:
        self.how = f"eager: {why}"

    def __call__(self, step: Callable[[int], None], count: int, blame: Callable[[], str] = str) -> None:
        """Do the steps.  blame: names what may be at fault if a replay differs; asked for nothing else."""
        for i in range(count):
            step(i)
