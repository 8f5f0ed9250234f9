"""The base class of schedules: how learning rate and momentum change from step to step."""

from collections.abc import Callable
from typing import Any

from backends import shown
from backprop.arrays.checks import function

Function = Callable[[int], float]


class Schedule:
    """A rule for the learning rate of each step, given by a factor in a subclass.

    The rate is, with steps counted from 0::

        rate of a step = factor(step, total) · the optimizer's learning rate

    A subclass overrides `factor`, and `momentum` if it also changes the momentum.

    Examples
    --------
    >>> from backprop.optimizers import Schedule
    >>> class Halved(Schedule):
    ...     def factor(self, step, total):
    ...         return 1.0 if 2 * step < total else 0.5
    ...
    >>> [Halved().factor(step, 4) for step in range(4)]
    [1.0, 1.0, 0.5, 0.5]
    """

    def factor(self, step: int, total: int) -> float:
        """Return what the learning rate of a step is multiplied with, at least 0.

        step: in [0, total).  total: steps of the whole run.
        """
        raise TypeError(f"{type(self).__name__}: a schedule needs factor(self, step, total)")

    def momentum(self, step: int, total: int) -> float | None:
        """Return the momentum of a step, in [0, 1); None for the optimizer's own."""
        return None

    def __repr__(self) -> str:
        settings = (f"{name} {shown(value)}" for name, value in vars(self).items())
        return f"<{', '.join((type(self).__name__, *settings))}>"


class OfFunction(Schedule):
    """A schedule given by a function of the step."""

    def __init__(self, f: Function) -> None:
        self.f = f

    def factor(self, step: int, total: int) -> float:
        return self.f(step)


def schedule_of(where: str, name: str, value: Any) -> Schedule:
    """Return a schedule, or a function of the step as one. Raises TypeError for anything else."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, type) or not callable(value):
        rule = f"{name} must be a Schedule, such as Cosine(), or a function of the step"
        raise TypeError(f"{where}: {rule}, got {shown(value)}")
    return OfFunction(function(where, name, value))
