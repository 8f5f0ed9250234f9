"""BatchNorm, of rows (N, C) and of images (N, C, …) with their channels last in memory.

A sum over rows is fastest as a product with ones. What is done to every pixel alike is done to a row of
pixels at once, since operations on a few channels at a time are slow.
"""

from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.constants import number, ones
from backends.numpy.memory_order import axes_in_memory, contiguous
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "BatchNorm.compute")
def batch_norm(
    self: Any, ws: NewArrays, x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array
) -> tuple[Array, tuple[Array, Array], tuple[Array, Array]]:
    order, one = channels_last(x), number(1.0, x.dtype)
    x_rows = rows_of(contiguous(ws, "x", x.transpose(order)))
    x_hat, out = ws["x_hat", x_rows.shape], ws["out", x_rows.shape]
    share = number(gamma.size / x.size, x.dtype)
    mean = sums(x_rows, gamma.size)
    mean *= share
    np.subtract(x_rows, along(mean, x_rows), x_hat)
    variance = sums(np.multiply(x_hat, x_hat, out), gamma.size)
    variance *= share
    scale = variance + number(self.eps, x.dtype)
    np.divide(one, np.sqrt(scale, scale), scale)
    x_hat *= along(scale, x_rows)
    np.multiply(x_hat, along(gamma, x_rows), out)
    out += along(beta, x_rows)
    keep, move = number(self.momentum, x.dtype), number(1.0 - self.momentum, x.dtype)
    mean *= move
    mean += keep * running_mean
    variance *= move
    variance += keep * running_var
    scale *= gamma
    factor = scale.reshape(1, -1, *[1] * (x.ndim - 2))
    return images_of(out, x.shape, order), (images_of(x_hat, x.shape, order), factor), (mean, variance)


@twin("numpy", "BatchNorm.derive")
def batch_norm_derive(
    self: Any, ws: NewArrays, dout: Array, x_hat: Array, factor: Array
) -> tuple[Array | None, Array, Array]:
    dgamma, dbeta = ws["dgamma", x_hat.shape[1:2]], ws["dbeta", x_hat.shape[1:2]]
    order, share = channels_last(x_hat), number(factor.size / dout.size, dout.dtype)
    given, x_rows = (rows_of(contiguous(ws, "given", each.transpose(order))) for each in (dout, x_hat))
    dx = ws["dx", given.shape]
    dbeta[...] = sums(given, dbeta.size)
    dgamma[...] = sums(np.multiply(given, x_rows, dx), dgamma.size)
    if not ws.needs_dx:
        return None, dgamma, dbeta
    np.multiply(x_rows, along(dgamma * share, dx), dx)
    np.subtract(given, dx, dx)
    dx -= along(dbeta * share, dx)
    dx *= along(factor.reshape(dbeta.shape), dx)
    return images_of(dx, dout.shape, order), dgamma, dbeta


def channels_last(x: Array) -> list[int]:
    """Return the axes of x in the order of memory, but with the channels last."""
    if x.ndim == 2:
        return [0, 1]
    return [axis for axis in axes_in_memory(x) if axis != 1] + [1]


def rows_of(x: Array) -> Array:
    """Return an array (…, W, C) as rows of W · C values."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-2] * x.shape[-1])


def images_of(rows: Array, shape: tuple[int, ...], order: list[int]) -> Array:
    """Return rows as an array of this shape, whose axes lie in memory in this order."""
    if rows.shape == shape:
        return rows
    return rows.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))


def along(values: Array, rows: Array) -> Array:
    """Return one value per channel as one for each place in a row."""
    return values if rows.shape[1] == values.size else np.tile(values, rows.shape[1] // values.size)


def sums(rows: Array, channels: int) -> Array:
    """Return the sum of each channel, (C,)."""
    total: Array = ones(len(rows), rows.dtype).dot(rows)
    return total if total.size == channels else np.add.reduce(total.reshape(-1, channels), axis=0)
