"""Updates in place."""

from math import inf, log
from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin


@kernel_twin("SGD.compute")
def sgd(self: Any, ws: Any, w: Array, g: Array, rate: Array) -> tuple[Array, tuple[()]]:
    ws.backend.launch_for_each("sgd", w.size, w, g, rate)
    return w, ()


@kernel_twin("Momentum.compute")
def momentum(
    self: Any, ws: Any, w: Array, g: Array, rate: Array, momentum: Array, v: Array
) -> tuple[Array, tuple[Array]]:
    ws.backend.launch_for_each("momentum", w.size, w, g, rate, momentum, v, np.int32(False))
    return w, (v,)


@kernel_twin("Nesterov.compute")
def nesterov(
    self: Any, ws: Any, w: Array, g: Array, rate: Array, momentum: Array, v: Array
) -> tuple[Array, tuple[Array]]:
    ws.backend.launch_for_each("momentum", w.size, w, g, rate, momentum, v, np.int32(True))
    return w, (v,)


@kernel_twin("AdaGrad.compute")
def ada_grad(self: Any, ws: Any, w: Array, g: Array, rate: Array, h: Array) -> tuple[Array, tuple[Array]]:
    ws.backend.launch_for_each("scaled_step", w.size, w, g, rate, h, *map(np.float32, (1.0, 1.0, self.eps)))
    return w, (h,)


@kernel_twin("RMSProp.compute")
def rms_prop(self: Any, ws: Any, w: Array, g: Array, rate: Array, h: Array) -> tuple[Array, tuple[Array]]:
    numbers = map(np.float32, (self.beta, 1.0 - self.beta, self.eps))
    ws.backend.launch_for_each("scaled_step", w.size, w, g, rate, h, *numbers)
    return w, (h,)


@kernel_twin("Adam.compute")
def adam(
    self: Any, ws: Any, w: Array, g: Array, rate: Array, m: Array, v: Array, t: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    new_t = ws["t", ()]
    numbers = *_of_average(self.beta1), *_of_average(self.beta2), np.float32(self.eps)
    ws.backend.launch_for_each("adam", w.size, w, g, rate, m, v, t, new_t, *numbers)
    return w, (m, v, new_t)


def _of_average(beta: float) -> tuple[np.float32, ...]:
    """Return the share of an average that is kept, that of what is new, and the logarithm of the first."""
    return np.float32(beta), np.float32(1.0 - beta), np.float32(log(beta) if beta else -inf)
