"""OneCycle: the learning rate rises and falls along one triangle, the momentum the other way."""

from typing import Any

from backends import shown
from backprop.arrays.checks import positive_number
from backprop.optimizers.schedule import Schedule


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
