"""Windows as arguments of kernels, and images in pieces whose entries an `int` can count."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from backends.cupy.array import Array

MOST = 2**30  # entries of an array that is launched at once

Pair = tuple[int, ...]  # along the height and along the width


def window_counts(image: Pair, kernel: Pair, stride: int, padding: int) -> Pair:
    """Return how many windows fit along the height and the width."""
    height, width = ((size + 2 * padding - k) // stride + 1 for size, k in zip(image, kernel, strict=True))
    return height, width


def integers(*numbers: int) -> tuple[Any, ...]:
    """Return numbers as the kernels' `int` arguments."""
    return tuple(map(np.int32, numbers))


def pieces(*arrays: Array | None) -> Iterator[tuple[Any, ...]]:
    """Yield arrays (N, …) together, as many samples at a time as have MOST entries.  None stays None."""
    given = [array for array in arrays if array is not None]
    n = given[0].shape[0]
    most = max(1, MOST // max(1, *(prod(array.shape[1:]) for array in given)))
    for start in range(0, n, most):
        piece = slice(start, start + most)
        yield arrays if n <= most else tuple(None if array is None else array[piece] for array in arrays)
