"""The columns of a layer's Jacobian: how its output moves with one entry of a parameter."""

from collections.abc import Callable
from math import prod
from typing import Any

from backends import Array, backend_of
from backprop.layers import Affine, Conv2D
from backprop.layers.windows import windows


def affine_columns(layer: Any, name: str, entries: Array, x: Array) -> Array:
    """Return d out / d entry for these entries of W, (K, N, M), or of b, (K, 1, M) for all samples."""
    backend, size = backend_of(x), layer.params["b"].shape[0]
    if name == "b":
        return one_hot(entries, size, x.dtype)[:, None, :]
    rows = backend.reshape(x, (x.shape[0], -1))
    change = backend.xp.take(rows.T, entries // size, axis=0)  # W[i, j] adds x[:, i] to column j of out
    return change[:, :, None] * one_hot(entries % size, size, x.dtype)[:, None, :]


def conv_columns(layer: Any, name: str, entries: Array, x: Array) -> Array:
    """Return d out / d entry for these entries of W, (K, N, F, H', W'), or of b, (K, 1, F, 1, 1)."""
    backend, W = backend_of(x), layer.params["W"]
    filters = W.shape[0]
    if name == "b":
        return one_hot(entries, filters, x.dtype)[:, None, :, None, None]
    size = prod(W.shape[1:])
    seen = windows(backend.xp, x, W.shape[2:], layer.stride, layer.padding)
    N, _, _, *counts = seen.shape
    rows, positions = backend.reshape(seen, (N, size, -1)), one_hot(entries % size, size, x.dtype)
    met = backend.xp.tensordot(positions, rows, axes=((1,), (1,)))  # W[f, c, i, j] adds it to map f of out
    change = backend.reshape(met, (entries.shape[0], N, 1, *counts))
    return change * one_hot(entries // size, filters, x.dtype)[:, None, :, None, None]


COLUMNS: dict[type, Callable[[Any, str, Array, Array], Array]] = {
    Affine: affine_columns,
    Conv2D: conv_columns,
}


def one_hot(indices: Array, size: int, dtype: Any) -> Array:
    """Return a one-hot row for each index, (K, size).  indices: (K,) integers."""
    backend = backend_of(indices)
    there = indices[:, None] == backend.xp.arange(size, dtype=indices.dtype)[None, :]
    return backend.astype(there, dtype)
