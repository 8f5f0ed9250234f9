"""The element type of a network: float32, or float64 on request."""

import os
from typing import Any, NamedTuple

from backends import dtype_name, shown

VARIABLE = "BACKPROP_DTYPE"
ACCEPTED = ("float32", "float64")


class Range(NamedTuple):
    """The smallest and the largest normal number of a dtype. A GPU takes smaller ones for 0."""

    smallest: float
    largest: float


NORMAL = {
    "float32": Range(2.0**-126, 3.4028234663852886e38),
    "float64": Range(2.0**-1022, 1.7976931348623157e308),
}


def network_dtype(dtype: Any = None, where: str = "network_dtype") -> str:
    """Return the name of the dtype asked for: the argument, else BACKPROP_DTYPE, else float32.

    where: the caller's name, for errors. Raises ValueError unless it is float32 or float64.
    """
    if dtype is not None:
        return one_dtype(where, dtype)
    return one_dtype(where, os.environ.get(VARIABLE) or "float32", f"the environment variable {VARIABLE}")


def one_dtype(where: str, dtype: Any, what: str = "dtype") -> str:
    """Return the name of an element type; raise ValueError unless it is float32 or float64."""
    try:
        name = None if dtype is None else dtype_name(dtype)  # NumPy would read None as float64
    except Exception:  # of any kind: NumPy calls methods of the object
        name = None
    if name not in ACCEPTED:
        raise ValueError(f"{where}: {what} must be float32 or float64, got {shown(dtype)}")
    return name
