"""A loop of steps, run one by one, or recorded once and replayed if a backend can."""

from collections.abc import Callable


class Loop:
    """A function that runs step(0), …, step(count - 1), with the same step at every call.

    how: "captured", or "eager: " and the reason; known after the first call.
    """

    def __init__(self, why: str) -> None:
        self.how = f"eager: {why}"

    def __call__(self, step: Callable[[int], None], count: int, blame: Callable[[], str] = str) -> None:
        """Run the steps.  blame: returns a likely cause; called only if a replay differs."""
        for i in range(count):
            step(i)
