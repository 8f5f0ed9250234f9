"""Stochastic gradient descent: parameters -= learning_rate · gradients."""

from collections.abc import Mapping

from backends import Array, backend_of
from backprop.checks import positive_number


class SGD:
    """Stochastic gradient descent, in place.

        W ← W - learning_rate · dL/dW

    learning_rate: a positive number; TypeError or ValueError for another.  Source: book section 6.1.2.

    >>> from backprop import TwoLayerNet
    >>> net = TwoLayerNet(2, 3, 2, rng=0)
    >>> SGD(learning_rate=0.1).update(net.params, net.gradient([[1.0, 2.0]], [1]))
    """

    capturable = True

    def __init__(self, learning_rate: float = 0.1) -> None:
        self.learning_rate = positive_number("SGD", "learning_rate", learning_rate)

    def update(
        self,
        params: Mapping[str, Array],
        grads: Mapping[str, Array],
        learning_rate: float | Array | None = None,
    ) -> None:
        """Move every parameter against its gradient.  params, grads: arrays by the same names.

        learning_rate: in place of the optimizer's own: 1.0 for gradients that a backward seeded with the
        learning rate has scaled, or an array of one number on the device, which a recorded step sees change.
        The owners of a network's arrays (`net.params`, `net.grads`) take one operation on their flat buffers.
        Raises ValueError for a missing gradient or one of another shape, and then moves nothing.
        """
        if hasattr(params, "flat") and hasattr(grads, "flat"):
            self._move(params.flat, grads.flat, learning_rate)
            return
        for name, parameter in params.items():
            if name not in grads or grads[name].shape != parameter.shape:
                got = grads[name].shape if name in grads else "none"
                raise ValueError(
                    f"SGD.update: the gradient of {name} must have shape {parameter.shape}, got {got}"
                )
        for name, parameter in params.items():
            self._move(parameter, grads[name], learning_rate)

    def _move(self, parameter: Array, gradient: Array, learning_rate: float | Array | None) -> None:
        rate = self.learning_rate if learning_rate is None else learning_rate
        backend_of(parameter, gradient).sgd(parameter, gradient, rate)
