"""Schedules: how learning rate and momentum change from step to step."""

import math
from collections.abc import Callable
from typing import Any

from backends import shown
from backprop.arrays.checks import function, positive_integer, positive_number

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


class Constant(Schedule):
    """The optimizer's learning rate in every step: factor = 1.

    Examples
    --------
    >>> from backprop.optimizers import Constant
    >>> Constant().factor(7, 10)
    1.0
    """

    def factor(self, step: int, total: int) -> float:
        return 1.0


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


class Cosine(Schedule):
    """The learning rate, falling along half a cosine to `floor` times its value.

    The factor is::

        factor = floor + (1 - floor) · (1 + cos(π · step / total)) / 2

    Parameters
    ----------
    floor : float
        In [0, 1). The factor that the last step comes close to.

    Raises
    ------
    ValueError, TypeError
        If `floor` is out of range or not a number.

    Notes
    -----
    Source: Loshchilov and Hutter, SGDR, arXiv 1608.03983, equation 5, without restarts.

    Examples
    --------
    >>> from backprop.optimizers import Cosine
    >>> [round(Cosine(floor=0.1).factor(step, 4), 3) for step in range(4)]
    [1.0, 0.868, 0.55, 0.232]
    """

    def __init__(self, floor: float = 0.0) -> None:
        self.floor = positive_number("Cosine", "floor", floor, or_zero=True, below=1.0)

    def factor(self, step: int, total: int) -> float:
        return self.floor + (1.0 - self.floor) * 0.5 * (1.0 + math.cos(math.pi * step / total))


class OneCycle(Schedule):
    """One triangle: the learning rate rises linearly to its full value and falls linearly again.

    The factor is, with p = step / total::

        p < rise:   factor = start + (1 - start) · p / rise
        else:       factor = end + (1 - end) · (1 - p) / (1 - rise)

    So the optimizer's own rate is the peak. The momentum, if given, runs the other way: from high to low
    while the rate rises, and back while it falls.

    Parameters
    ----------
    rise : float
        Share of the steps before the peak, in (0, 1).
    start, end : float
        Factors at both ends, in [0, 1).
    momentum : tuple of float, optional
        (high, low), each in [0, 1).

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Notes
    -----
    Source: Smith and Topin, Super-Convergence, arXiv 1708.07120; the momentum: Smith, A disciplined approach
    to neural network hyper-parameters, arXiv 1803.09820.

    Examples
    --------
    >>> from backprop.optimizers import OneCycle
    >>> cycle = OneCycle(rise=0.5, momentum=(0.95, 0.85))
    >>> [round(cycle.factor(step, 4), 2) for step in range(4)]
    [0.1, 0.55, 1.0, 0.5]
    >>> [round(cycle.momentum(step, 4), 2) for step in range(4)]
    [0.95, 0.9, 0.85, 0.9]
    """

    def __init__(
        self,
        rise: float = 0.3,
        start: float = 0.1,
        end: float = 0.0,
        momentum: tuple[float, float] | None = None,
    ) -> None:
        self.rise = positive_number("OneCycle", "rise", rise, below=1.0)
        self.start = positive_number("OneCycle", "start", start, or_zero=True, below=1.0)
        self.end = positive_number("OneCycle", "end", end, or_zero=True, below=1.0)
        self.high_low = None if momentum is None else _high_low(momentum)

    def factor(self, step: int, total: int) -> float:
        height, falls = self._height(step, total)
        foot = self.end if falls else self.start
        return foot + (1.0 - foot) * height

    def momentum(self, step: int, total: int) -> float | None:
        if self.high_low is None:
            return None
        high, low = self.high_low
        return high - (high - low) * self._height(step, total)[0]

    def _height(self, step: int, total: int) -> tuple[float, bool]:
        """Return the height of the triangle, from 0 to 1, and whether it falls."""
        done = step / total
        if done < self.rise:
            return done / self.rise, False
        return (1.0 - done) / (1.0 - self.rise), True


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


def _high_low(momentum: Any) -> tuple[float, float]:
    if not isinstance(momentum, tuple | list) or len(momentum) != 2:
        raise TypeError(f"OneCycle: momentum must be a pair (high, low), got {shown(momentum)}")
    high, low = (
        positive_number("OneCycle", f"momentum[{i}]", value, or_zero=True, below=1.0)
        for i, value in enumerate(momentum)
    )
    if high < low:
        raise ValueError(f"OneCycle: momentum must be (high, low) with high first, got {shown(momentum)}")
    return high, low
