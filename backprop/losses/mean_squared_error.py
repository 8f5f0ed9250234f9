"""Mean squared error: the mean over samples of half the squared distance from output to target."""

from backends import Array, Namespace
from backprop.losses.loss import Loss


class MeanSquaredError(Loss):
    """Half the squared error of each sample, averaged over samples: the loss of regression.

    Loss and gradient are::

        L = mean_n( ½ Σ_m (y_nm - t_nm)² )        dL/dy = (y - t) / N

    Outputs y and targets t have the same shape, (N, …). Accuracy is not defined.

    Raises
    ------
    ValueError, TypeError
        In `forward`, if the shapes differ or the backends are mixed.

    Notes
    -----
    Source: book section 4.2.1.

    Examples
    --------
    >>> from backprop import asarray
    >>> from backprop.losses import MeanSquaredError
    >>> loss = MeanSquaredError()
    >>> print(loss.forward(asarray([[1.0], [4.0]]), asarray([[0.0], [6.0]])))
    1.25
    >>> loss.backward()
    array([[ 0.5],
           [-1. ]])
    """

    def compute(self, xp: Namespace, y: Array, t: Array) -> tuple[Array, tuple[Array]]:
        difference = y - t
        return 0.5 * xp.sum(difference * difference, axis=tuple(range(1, len(y.shape)))), (difference,)

    def derive(self, xp: Namespace, dout: float, difference: Array) -> Array:
        return difference * dout
