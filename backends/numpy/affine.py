"""Affine, alone and followed by ReLU."""

from itertools import chain
from typing import Any

import numpy as np
from numpy import ndarray as Array

from backends.numpy.blocks import BLOCK, blocks
from backends.numpy.constants import number, ones
from backends.numpy.memory_order import contiguous
from backends.numpy.product import Product, is_shared, product, together
from backends.twins import twin
from backends.workspace import NewArrays


@twin("numpy", "Affine.compute")
def affine(self: Any, ws: NewArrays, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    x = x if x.ndim == 2 else contiguous(ws, "x", x)
    out = product(rows_of(x), W, ws["out", (len(x), len(b))])
    out += b
    return out, (x, W)


@twin("numpy", "Affine.derive")
def affine_derive(self: Any, ws: NewArrays, dout: Array, x: Array, W: Array) -> tuple[Array | None, ...]:
    db = ones(len(dout), dout.dtype).dot(dout, ws["db", W.shape[1:]])  # first, while dout is cached
    return (*products(ws, dout, x, W), db)


@twin("numpy", "Affine+ReLU.compute")
def affine_relu(self: Any, ws: NewArrays, x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, ...]]:
    x = x if x.ndim == 2 else contiguous(ws, "x", x)
    out, zero = product(rows_of(x), W, ws["out", (len(x), len(b))]), number(0.0, b.dtype)
    for block in (out,) if out.nbytes <= BLOCK else chain.from_iterable(blocks(out)):
        block += b
        np.maximum(block, zero, out=block)
    return out, (x, W, out)


@twin("numpy", "Affine+ReLU.derive")
def affine_relu_derive(
    self: Any, ws: NewArrays, dout: Array, x: Array, W: Array, out: Array
) -> tuple[Array | None, ...]:
    zero, dz, db = number(0.0, out.dtype), ws["dz", out.shape], ws["db", W.shape[1:]]
    if out.nbytes <= BLOCK:
        np.multiply(dout, out > zero, dz)
        ones(len(dz), dz.dtype).dot(dz, db)
    else:
        db.fill(0)
        for dz_block, dout_block, out_block in blocks(dz, dout, out):
            np.multiply(dout_block, out_block > zero, dz_block)
            db += ones(len(dz_block), dz.dtype).dot(dz_block)
    return (*products(ws, dz, x, W), db)


def products(ws: NewArrays, dz: Array, x: Array, W: Array) -> tuple[Array | None, Array]:
    """Return dx = dz Wᵀ in the shape of x, or None if it is not needed, and dW = xᵀ dz."""
    rows, dW = rows_of(x), ws["dW", W.shape]
    if not ws.needs_dx:
        return None, product(rows.T, dz, dW)
    dx = ws["dx", rows.shape]
    if is_shared(dz.size * W.shape[0]):
        together(Product(dz, W.T, dx), Product(rows.T, dz, dW))
    else:
        dz.dot(W.T, dx)
        rows.T.dot(dz, dW)
    return dx if rows is x else dx.reshape(x.shape), dW


def rows_of(x: Array) -> Array:
    """Return each sample as a row."""
    return x if x.ndim == 2 else x.reshape(len(x), -1)
