"""StepDecay: the learning rate falls by a factor after every so many steps."""

from backprop.arrays.checks import positive_integer, positive_number
from backprop.optimizers.schedule import Schedule


class StepDecay(Schedule):
    """The learning rate, multiplied by `by` after each `every` steps.

    The factor is::

        factor = by ** floor(step / every)

    Parameters
    ----------
    every : int
        Steps between two changes.
    by : float
        In (0, 1).

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Examples
    --------
    >>> from backprop.optimizers import StepDecay
    >>> [StepDecay(2, by=0.5).factor(step, 6) for step in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(self, every: int, by: float = 0.1) -> None:
        self.every = positive_integer("StepDecay", "every", every)
        self.by = positive_number("StepDecay", "by", by, below=1.0)

    def factor(self, step: int, total: int) -> float:
        return self.by ** (step // self.every)
