"""Element types by name, the same words for every array library."""

from functools import lru_cache
from typing import Any

import numpy as np


def dtype_name(dtype: Any) -> str:
    """The plain name of an element type, e.g. "float32".

    dtype: a name, a NumPy or CuPy dtype, a scalar type such as numpy.float32, another library's dtype.
    Raises TypeError for what NumPy does not know as an element type.
    """
    if isinstance(dtype, np.dtype):
        return _name(dtype)
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype).rpartition(".")[2]  # other libraries print theirs as "library.float32"
        name = np.dtype(name).name
    return str(name)


@lru_cache(maxsize=64)
def _name(dtype: np.dtype[Any]) -> str:
    """The name of a NumPy dtype, which takes it several microseconds to find."""
    return str(dtype.name)


def kind(array: Any) -> str:
    """What an array holds, in NumPy's letters: "b" bool, "i" and "u" integers, "f" float, "c" complex, …"""
    own: str | None = getattr(array.dtype, "kind", None)
    return own or np.dtype(dtype_name(array.dtype)).kind


@lru_cache(maxsize=64, typed=True)  # typed: dtypes of two libraries may hash alike and must not be compared
def mix(a: Any, b: Any) -> bool:
    """Whether two element types may meet in a kernel: those of one name, or any with a complex one.

    Two different real types must not: a single float64 array would turn a float32 network into a slow one.
    """
    names = dtype_name(a), dtype_name(b)
    return names[0] == names[1] or any(name.startswith("complex") for name in names)
