"""LayerNorm, with each sample as a row."""

from math import prod
from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.constants import number, ones
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "LayerNorm.compute")
def layer_norm(
    self: Any, ws: NewArrays, x: Array, gamma: Array, beta: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    n, d = len(x), prod(x.shape[1:])
    rows, share = x.reshape(n, d), number(1.0 / d, x.dtype)
    x_hat, out = ws["x_hat", x.shape], ws["out", x.shape]
    x_hat_rows, out_rows = x_hat.reshape(n, d), out.reshape(n, d)
    mean = rows.dot(ones(d, x.dtype))
    mean *= share
    np.subtract(rows, mean[:, None], x_hat_rows)
    np.multiply(x_hat_rows, x_hat_rows, out_rows)
    scale = out_rows.dot(ones(d, x.dtype))
    scale *= share
    scale += number(self.eps, x.dtype)
    np.divide(number(1.0, x.dtype), np.sqrt(scale, scale), scale)
    x_hat_rows *= scale[:, None]
    np.multiply(x_hat, gamma, out)
    out += beta
    return out, (x_hat, scale.reshape(-1, *[1] * (x.ndim - 1)), gamma)


@twin("numpy", "LayerNorm.derive")
def layer_norm_derive(
    self: Any, ws: NewArrays, dout: Array, x_hat: Array, scale: Array, gamma: Array
) -> tuple[Array | None, Array, Array]:
    n, d, dx, one_each = len(dout), gamma.size, ws["dx", dout.shape], ones(len(dout), dout.dtype)
    dgamma, dbeta = ws["dgamma", gamma.shape], ws["dbeta", gamma.shape]
    rows, dx_rows = dout.reshape(n, d), np.multiply(dout, x_hat, dx).reshape(n, d)
    one_each.dot(rows, dbeta.reshape(d))
    one_each.dot(dx_rows, dgamma.reshape(d))
    if not ws.needs_dx:
        return None, dgamma, dbeta
    shares = gamma.reshape(d) * number(1.0 / d, dout.dtype)
    mean, along = rows.dot(shares), dx_rows.dot(shares)  # of dout γ, and of dout γ x̂
    np.multiply(dout, gamma, dx)
    dx_rows -= mean[:, None]
    dx_rows -= np.multiply(x_hat.reshape(n, d), along[:, None], ws["along", (n, d)])
    dx *= scale
    return dx, dgamma, dbeta
