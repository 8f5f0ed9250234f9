"""Large arrays split into blocks of rows that stay in the cache between operations."""

from collections.abc import Iterable, Iterator

import numpy as np

from backends.workspace import NewArrays

BLOCK = 2**19  # bytes


def blocks(first: np.ndarray, *others: np.ndarray) -> Iterable[tuple[np.ndarray, ...]]:
    """Return blocks of the same rows of several arrays; the whole arrays if the first fits in one block."""
    if first.nbytes <= BLOCK:
        return [(first, *others)]
    size = len(first)
    rows = max(1, BLOCK * size // first.nbytes)
    arrays = (first, *others)
    return (tuple(a[start : start + rows] for a in arrays) for start in range(0, size, rows))


def with_work(ws: NewArrays, *arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield blocks of the arrays, each with an array of its size to work in."""
    for block, *others in blocks(*arrays):
        yield block, *others, ws["work", block.shape]
