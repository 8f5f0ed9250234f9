"""The settings of each step under a schedule: computed and checked for a whole run before it begins."""

import math
from array import array
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from backends import dtype_name, shown
from backprop.arrays.checks import is_real
from backprop.arrays.dtypes import NORMAL
from backprop.optimizers import Optimizer
from backprop.optimizers.schedule import Schedule


class Rates:
    """The factors of a schedule, and its momenta if it has any.

    Parameters
    ----------
    schedule : Schedule
    total : int
        Steps of the run.
    optimizer : Optimizer
        Its learning rate is multiplied with the factors, as it is when a step is about to be made.
    dtype : dtype
        Of the parameters, which the rates must fit.

    Raises
    ------
    ValueError, TypeError
        If the schedule returns NaN, a negative number or no number, a factor whose rate becomes infinite, or
        a momentum that is not in [0, 1), or has a momentum where the optimizer has none.
    """

    def __init__(self, schedule: Schedule, total: int, optimizer: Optimizer, dtype: Any) -> None:
        self.optimizer, steps = optimizer, range(total)
        factors = ((step, schedule.factor(step, total)) for step in steps)
        self.factors = array("d", _numbers(factors, "a finite number of at least 0", math.inf).values())
        self._require_finite_rates(dtype)
        momenta = ((step, schedule.momentum(step, total)) for step in steps)
        given = (pair for pair in momenta if pair[1] is not None)
        self.momenta = _numbers(given, "a momentum of at least 0 and below 1", 1.0)
        if self.momenta and "momentum" not in optimizer.settings:
            name, cure = type(optimizer).__name__, "use Momentum, or a schedule without momentum"
            raise ValueError(f"train: schedule changes the momentum, but {name} has none; {cure}")

    def digest(self) -> str:
        """Return a digest of all factors and momenta, 64 hexadecimal digits."""
        momenta = repr(sorted(self.momenta.items())).encode()
        return sha256(self.factors.tobytes() + momenta).hexdigest()

    def settings(self, first: int, count: int) -> list[list[float]]:
        """Return the settings of these steps, in the order of `optimizer.settings`."""
        columns = [self._column(name, range(first, first + count)) for name in self.optimizer.settings]
        return [list(row) for row in zip(*columns, strict=True)]

    def _column(self, name: str, steps: range) -> list[float]:
        own = getattr(self.optimizer, name)
        if name == "learning_rate":
            return [own * self.factors[step] for step in steps]
        if name == "momentum":
            return [self.momenta.get(step, own) for step in steps]
        return [own] * len(steps)

    def _require_finite_rates(self, dtype: Any) -> None:
        rate, largest = self.optimizer.learning_rate, max(self.factors)
        if largest * rate > NORMAL[dtype_name(dtype)].largest:
            rule = f"schedule must keep the learning rate finite in {dtype_name(dtype)}"
            got = f"got {largest:g} · {rate:g} for step {self.factors.index(largest)}"
            raise ValueError(f"train: {rule}, {got}")


def _numbers(values: Iterable[tuple[int, Any]], rule: str, below: float) -> dict[int, float]:
    """Return what a schedule returned by step, checked: numbers in [0, below)."""
    found = {}
    for step, value in values:
        if type(value) is not float and not is_real(value):
            raise TypeError(f"train: schedule must return {rule}, got {shown(value)} for step {step}")
        try:
            found[step] = float(value)
        except OverflowError:  # an integer too large for a float
            found[step] = math.inf
        if not 0.0 <= found[step] < below:
            raise ValueError(f"train: schedule must return {rule}, got {shown(value)} for step {step}")
    return found
