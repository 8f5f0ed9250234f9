"""Small constant arrays, created once and read-only, so that they can be shared."""

from functools import lru_cache
from typing import Any

import numpy as np


@lru_cache(maxsize=64)
def ones(size: int, dtype: Any) -> np.ndarray:
    """Return 1, 1, …, 1."""
    return _shared(np.ones(size, dtype))


@lru_cache(maxsize=64)
def number(value: float, dtype: Any) -> np.ndarray:
    """Return a number as an array, which ufuncs accept faster than a Python float."""
    return _shared(np.array(value, dtype))


@lru_cache(maxsize=64)
def indices(size: int) -> np.ndarray:
    """Return 0, 1, …, size - 1."""
    return _shared(np.arange(size))


def _shared(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
