"""WarmUp: the learning rate rises over the first steps, and then follows another schedule."""

from backprop.arrays.checks import positive_integer
from backprop.optimizers.constant import Constant
from backprop.optimizers.schedule import Function, Schedule, schedule_of


class WarmUp(Schedule):
    """A linear rise over the first steps, and then another schedule for the steps that are left.

    In the warm-up, the factor is::

        factor = (step + 1) / (steps + 1) · (first factor of `then`)

    Parameters
    ----------
    steps : int
        Steps of the rise.
    then : Schedule or function, optional
        What follows, counting its own steps from 0. By default Constant().

    Raises
    ------
    ValueError, TypeError
        If `steps` is not a count, or `then` not a schedule.

    Notes
    -----
    Source: Goyal et al., Accurate, Large Minibatch SGD, arXiv 1706.02677, section 2.2.

    Examples
    --------
    >>> from backprop.optimizers import StepDecay, WarmUp
    >>> schedule = WarmUp(3, then=StepDecay(2, by=0.5))
    >>> [schedule.factor(step, 7) for step in range(7)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.5]
    """

    def __init__(self, steps: int, then: Schedule | Function | None = None) -> None:
        self.steps = positive_integer("WarmUp", "steps", steps)
        self.then = Constant() if then is None else schedule_of("WarmUp", "then", then)

    def factor(self, step: int, total: int) -> float:
        rise = min(1.0, (step + 1) / (self.steps + 1))
        return rise * self.then.factor(*self._left(step, total))

    def momentum(self, step: int, total: int) -> float | None:
        return self.then.momentum(*self._left(step, total))

    def _left(self, step: int, total: int) -> tuple[int, int]:
        """Return the step and the total of the schedule that follows."""
        return max(0, step - self.steps), max(1, total - self.steps)
