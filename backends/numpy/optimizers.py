"""Updates in place, of large parameters block by block."""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.blocks import blocks
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "SGD.compute")
def sgd(self: Any, ws: NewArrays, w: Array, g: Array, rate: Array) -> tuple[Array, tuple[()]]:
    for block, gradient, step in blocks(w, g, ws["step", g.shape]):
        np.multiply(gradient, rate, step)
        np.subtract(block, step, block)
    return w, ()


@twin("numpy", "Momentum.compute")
def momentum(
    self: Any, ws: NewArrays, w: Array, g: Array, rate: Array, v: Array
) -> tuple[Array, tuple[Array]]:
    for block, gradient, velocity, step in blocks(w, g, v, ws["step", g.shape]):
        np.multiply(gradient, rate, step)
        velocity *= self.momentum
        velocity -= step
        block += velocity
    return w, (v,)
