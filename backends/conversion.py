"""Conversion of user data to arrays of a backend, and of any array to NumPy."""

from typing import Any

import numpy as np

from backends.array import Array
from backends.backend import Backend
from backends.dtypes import dtype_name, kind
from backends.messages import cut, describe, shown
from backends.registry import owner_of
from backends.selection import choose

NUMBERS = "biufc"  # NumPy's letters for the kinds of numeric dtypes
MAX_DEPTH = 64  # nested lists; NumPy arrays have at most as many axes


def asarray(data: Any, dtype: Any = None, backend: str | Backend | None = None) -> Array:
    """Return data as an array of the active backend, or of the one named.

    It also moves arrays between backends. Nothing is copied unless necessary.

    Parameters
    ----------
    data : array
        Numbers, nested lists, a NumPy array, an array of any backend, or another library's array on the
        device, which is adopted through DLPack.
    dtype : str or dtype, optional
        By default that of the data.
    backend : str or Backend, optional

    Raises
    ------
    TypeError
        If the data are not numbers.
    ValueError, BackendUnavailable
        As for `set_backend`.

    Examples
    --------
    >>> from backprop import asarray
    >>> asarray([1.0, 2.0], dtype="float32", backend="numpy")
    array([1., 2.], dtype=float32)
    """
    target = choose(backend, "asarray").backend
    if dtype is not None:
        _require_dtype(dtype)
    if type(data) is not target.array_type or kind(data) not in NUMBERS:
        adopted = target.adopt(data) if owner_of(data) is None else None
        data = host_array("asarray", "data", data) if adopted is None else adopted
    return target.asarray(data, dtype)


def to_numpy(data: Any) -> np.ndarray:
    """Return an array of any backend, or host data, as a NumPy array. Waits for the device.

    Parameters
    ----------
    data : array

    Raises
    ------
    TypeError
        If data is not an array, or would lose information as one: rows of different lengths, a mask.

    Examples
    --------
    >>> from backprop import to_numpy
    >>> to_numpy([1, 2, 3])
    array([1, 2, 3])
    """
    return host_array("to_numpy", "data", data, any_kind=True)


def host_array(where: str, name: str, data: Any, any_kind: bool = False, cure: str = "float") -> np.ndarray:
    """Return numbers as `to_numpy` does, with errors that name the caller and the argument.

    Parameters
    ----------
    where, name : str
        Names of the caller and the argument.
    data : array
    any_kind : bool
        Accept arrays that do not hold numbers.
    cure : str
        The Python type to convert to, for the error about data that are not numbers.
    """
    owner = owner_of(data)
    if owner is not None:
        array = owner.to_numpy(data)
    elif _is_masked(data):
        cure = f"fill it: {name}.filled(value)"
        raise TypeError(f"{where}: {name} must not be a masked array, whose mask would be lost; {cure}")
    else:
        try:
            array = np.asarray(data)
        except Exception as error:
            rule = f"{name} must be an array of numbers, got {describe(data)}"
            rows = "; are its rows equally long?" if isinstance(data, (list, tuple)) else ""
            raise TypeError(f"{where}: {rule}{rows}") from error
    if array.dtype.kind in NUMBERS or (any_kind and array.shape):
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    got = f"{cut(str(array.dtype))} from {describe(data)}"
    how = f".astype({cure})" if hasattr(data, "astype") else f"numpy.array(list({name}), {cure})"
    tail = f"; convert it with {how}" if hasattr(data, "__iter__") else ""
    raise TypeError(f"{where}: {name} must hold numbers, got {got}{tail}")


def _is_masked(data: Any) -> bool:
    for _ in range(MAX_DEPTH):
        if not isinstance(data, (list, tuple)) or not data:
            break
        data = data[0]
    return any(cls.__module__.startswith("numpy.ma") for cls in type(data).__mro__)


def _require_dtype(dtype: Any) -> None:
    try:
        known = np.dtype(dtype_name(dtype)).kind in NUMBERS
    except Exception:  # of any kind: NumPy calls methods of the object
        known = False
    if not known:
        raise TypeError(f"asarray: dtype must be numeric, such as 'float32', got {shown(dtype)}")
