"""Element types by name, the same for every array library."""

from functools import lru_cache
from typing import Any

import numpy as np


def dtype_name(dtype: Any) -> str:
    """Return the plain name of an element type, e.g. "float32".

    Parameters
    ----------
    dtype : str or dtype
        A name, a dtype of any library, or a scalar type such as numpy.float32.

    Raises
    ------
    TypeError
        If NumPy does not know it.
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
    """Return the name of a NumPy dtype. Cached, since NumPy takes several microseconds to build it."""
    return str(dtype.name)


def kind(array: Any) -> str:
    """Return the kind of an array's values as NumPy's letter.

    These are "b" for bool, "i" and "u" for integers, "f" for floats, "c" for complex numbers, and others.

    Parameters
    ----------
    array : array
    """
    own: str | None = getattr(array.dtype, "kind", None)
    return own or np.dtype(dtype_name(array.dtype)).kind


@lru_cache(
    maxsize=64, typed=True
)  # typed: dtypes of two libraries may hash alike, and comparing them may fail
def mix(a: Any, b: Any) -> bool:
    """Return whether two element types may be combined: equal ones, or any with a complex one.

    Different real types may not: a single float64 array would silently make a float32 network slow.

    Parameters
    ----------
    a, b : dtype
    """
    names = dtype_name(a), dtype_name(b)
    return names[0] == names[1] or any(name.startswith("complex") for name in names)
