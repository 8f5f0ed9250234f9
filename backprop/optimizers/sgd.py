"""Stochastic gradient descent: parameters -= learning_rate · gradients."""

from collections.abc import Mapping
from typing import Any

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

    def __init__(self, learning_rate: float = 0.1) -> None:
        self.learning_rate = positive_number("SGD", "learning_rate", learning_rate)

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array], scaled: bool = False) -> None:
        """Move every parameter against its gradient.  params, grads: arrays by the same names.

        scaled: the gradients are those of learning_rate · loss, as a backward seeded with the learning rate
        gives them; it spares a pass over all of them.
        The owners of a network's arrays (`net.params`, `net.grads`) take one operation on their flat buffers.
        Raises ValueError for a missing gradient or one of another shape, and then moves nothing.
        """
        if hasattr(params, "flat") and hasattr(grads, "flat"):
            self._move(params.flat, grads.flat, scaled)
            return
        for name, parameter in params.items():
            if name not in grads or grads[name].shape != parameter.shape:
                got = grads[name].shape if name in grads else "none"
                raise ValueError(
                    f"SGD.update: the gradient of {name} must have shape {parameter.shape}, got {got}"
                )
        for name, parameter in params.items():
            self._move(parameter, grads[name], scaled)

    def _move(self, parameter: Any, gradient: Any, scaled: bool) -> None:
        backend_of(parameter, gradient).sgd(parameter, gradient, 1.0 if scaled else self.learning_rate)
