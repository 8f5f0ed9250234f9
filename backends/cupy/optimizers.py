"""Updates in place."""

from typing import Any

import numpy as np

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin


@kernel_twin("SGD.compute")
def sgd(self: Any, ws: Any, w: Array, g: Array, rate: Array) -> tuple[Array, tuple[()]]:
    ws.backend.launch_for_each("sgd", w.size, w, g, rate)
    return w, ()


@kernel_twin("Momentum.compute")
def momentum(self: Any, ws: Any, w: Array, g: Array, rate: Array, v: Array) -> tuple[Array, tuple[Array]]:
    ws.backend.launch_for_each("momentum", w.size, w, g, rate, v, np.float32(self.momentum))
    return w, (v,)
