"""Cosine: the learning rate falls along half a cosine."""

import math

from backprop.arrays.checks import positive_number
from backprop.optimizers.schedule import Schedule


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
