"""Constant: the same learning rate in every step."""

from backprop.optimizers.schedule import Schedule


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
