"""Mean squared error."""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.constants import number, ones
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "MeanSquaredError.compute")
def mean_squared_error(self: Any, ws: NewArrays, y: Array, t: Array) -> tuple[Array, tuple[Array]]:
    difference = np.subtract(y, t, ws["difference", y.shape])
    squares = np.multiply(difference, difference, ws["squares", y.shape]).reshape(len(y), -1)
    out = squares.dot(ones(squares.shape[1], y.dtype), ws["losses", y.shape[:1]])
    out *= number(0.5, y.dtype)
    return out, (difference,)


@twin("numpy", "MeanSquaredError.derive")
def mean_squared_error_derive(self: Any, ws: NewArrays, dout: float, difference: Array) -> Array:
    difference *= number(dout, difference.dtype)
    return difference
