"""The element type of a network: float32, or float64 on request."""

import os
from typing import Any

from backends import dtype_name

VARIABLE = "BACKPROP_DTYPE"
ACCEPTED = ("float32", "float64")


def network_dtype(dtype: Any = None) -> str:
    """The name of the element type asked for: the argument, else BACKPROP_DTYPE, else float32.

    Raises ValueError for any other type than float32 and float64.
    """
    where = "dtype"
    if dtype is None:
        dtype, where = os.environ.get(VARIABLE) or "float32", f"the environment variable {VARIABLE}"
    try:
        name = dtype_name(dtype)
    except TypeError:
        name = None
    if name not in ACCEPTED:
        raise ValueError(f"{where} must be float32 or float64, got {dtype!r}")
    return name
