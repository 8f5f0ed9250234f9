"""The mean over the samples of half the squared distance from output to target."""

from typing import Any

from backends import Array
from backprop.losses.loss import Loss


class MeanSquaredError(Loss):
    """The loss of regression.

        L = mean_n( ½ Σ_m (y_nm - t_nm)² )        dL/dy = (y - t) / N

    y, t: (N, …), alike in shape.  Raises ValueError for other shapes, TypeError for mixed backends.
    Source: book section 4.2.1.

    >>> from backprop import asarray
    >>> loss = MeanSquaredError()
    >>> print(loss.forward(asarray([[1.0], [4.0]]), asarray([[0.0], [6.0]])))
    1.25
    >>> loss.backward()
    array([[ 0.5],
           [-1. ]])
    """

    def compute(self, xp: Any, y: Array, t: Array) -> Any:
        difference = y - t
        return 0.5 * xp.sum(difference * difference, axis=tuple(range(1, len(y.shape)))), (difference,)

    def derive(self, xp: Any, dout: float, difference: Array) -> Any:
        return difference * dout
