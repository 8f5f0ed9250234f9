"""BatchNorm, of rows (N, C) and of images (N, C, …)."""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.constants import number, ones
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "BatchNorm.compute")
def batch_norm(
    self: Any, ws: NewArrays, x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array
) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
    x_hat, out, one = ws["x_hat", x.shape], ws["out", x.shape], number(1.0, x.dtype)
    share, wide = number(gamma.size / x.size, x.dtype), (-1, *[1] * (x.ndim - 2))
    mean = sums(x)
    mean *= share
    np.subtract(x, mean.reshape(wide), x_hat)
    variance = sums(np.multiply(x_hat, x_hat, out))
    variance *= share
    scale = variance + number(self.eps, x.dtype)
    np.divide(one, np.sqrt(scale, scale), scale)
    x_hat *= scale.reshape(wide)
    np.multiply(x_hat, gamma.reshape(wide), out)
    out += beta.reshape(wide)
    keep, move = number(self.momentum, x.dtype), number(1.0 - self.momentum, x.dtype)
    mean *= move
    mean += keep * running_mean
    variance *= move
    variance += keep * running_var
    scale *= gamma
    return out, (x_hat, scale.reshape(1, *wide)), (mean, variance)


@twin("numpy", "BatchNorm.derive")
def batch_norm_derive(
    self: Any, ws: NewArrays, dout: Array, x_hat: Array, factor: Array
) -> tuple[Array | None, Array, Array]:
    dgamma, dbeta = ws["dgamma", x_hat.shape[1:2]], ws["dbeta", x_hat.shape[1:2]]
    dx, share = ws["dx", dout.shape], number(factor.size / dout.size, dout.dtype)
    sums(dout, dbeta)
    sums(np.multiply(dout, x_hat, dx), dgamma)
    if not ws.needs_dx:
        return None, dgamma, dbeta
    np.multiply(x_hat, (dgamma * share).reshape(factor.shape), dx)
    np.subtract(dout, dx, dx)
    dx -= (dbeta * share).reshape(factor.shape)
    dx *= factor
    return dx, dgamma, dbeta


def sums(values: Array, out: Array | None = None) -> Array:
    """Return the sum of each feature, (C,)."""
    if values.ndim > 2:
        values = np.add.reduce(values.reshape(*values.shape[:2], -1), axis=2)
    return ones(len(values), values.dtype).dot(values, out)
