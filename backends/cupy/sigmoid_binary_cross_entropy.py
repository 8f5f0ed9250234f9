"""Sigmoid with loss. One kernel computes the losses and the derivative of their mean."""

from typing import Any

from backends.cupy.array import Array
from backends.cupy.launch import kernel_twin
from backends.cupy.mean_squared_error import losses_and_dz, scaled


@kernel_twin("SigmoidBinaryCrossEntropy.compute")
def sigmoid_binary_cross_entropy(self: Any, ws: Any, z: Array, t: Array) -> tuple[Array, tuple[Array]]:
    losses, dz = losses_and_dz("sigmoid_binary_cross_entropy", ws, z, t)
    return losses, (dz,)


@kernel_twin("SigmoidBinaryCrossEntropy.derive")
def sigmoid_binary_cross_entropy_derive(self: Any, ws: Any, dout: float, dz: Array) -> Array:
    return scaled(dout, dz)
