"""Sigmoid with loss."""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.constants import number
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "SigmoidBinaryCrossEntropy.compute")
def sigmoid_binary_cross_entropy(
    self: Any, ws: NewArrays, z: Array, t: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    w, e, terms = ws["w", z.shape], ws["e", z.shape], ws["terms", z.shape]
    # At 0, either side is right: there the target's share counts 0 in the loss, and p is ½.
    np.subtract(np.logical_not(np.signbit(z)), t, w)
    np.absolute(w, w)
    size = np.absolute(z, terms)
    np.exp(np.negative(size, e), e)
    terms *= w
    terms += np.log1p(e)
    return np.add.reduce(terms.reshape(len(z), -1), 1, None, ws["losses", z.shape[:1]]), (z, w, e)


@twin("numpy", "SigmoidBinaryCrossEntropy.derive")
def sigmoid_binary_cross_entropy_derive(
    self: Any, ws: NewArrays, dout: float, z: Array, w: Array, e: Array
) -> Array:
    """Return ±(w - p) dout, with p = e / (1 + e). Overwrites w and e."""
    e /= e + number(1.0, e.dtype)
    w -= e
    w *= np.copysign(number(dout, w.dtype), z)
    return w
