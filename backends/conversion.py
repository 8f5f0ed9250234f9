"""Data in and out: what users have as an array of a backend, and any array as one of NumPy."""

from typing import Any

import numpy as np

from backends.array import Array
from backends.backend import Backend
from backends.dtypes import dtype_name, kind
from backends.messages import cut, describe, shown
from backends.registry import owner_of
from backends.selection import choose

NUMBERS = "biufc"  # the kinds of dtypes that hold them, in NumPy's letters
DEEPEST = 64  # lists within lists; an array has no more axes


def asarray(data: Any, dtype: Any = None, backend: str | Backend | None = None) -> Array:
    """Data as an array of the backend in force, or of the one named.

    data: numbers, nested lists, a NumPy array or an array of any backend: this is the way to move one; also
    another library's array on the device, which is taken through DLPack.
    dtype: a name or dtype; the data's own where None.  No copy is made where none is needed.
    Raises TypeError for what holds no numbers, and as `to_numpy` and `set_backend` do.

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
    """The values of any backend's array, or of host data, as a NumPy array; waits for the device.

    Raises TypeError for what is no array, or loses what it says as one: rows of different lengths, a mask.

    >>> to_numpy([1, 2, 3])
    array([1, 2, 3])
    """
    return host_array("to_numpy", "data", data, any_kind=True)


def host_array(where: str, name: str, data: Any, any_kind: bool = False, cure: str = "float") -> np.ndarray:
    """What `to_numpy` returns, of numbers; for a caller who names itself and the argument.

    any_kind: also of other things than numbers.  cure: the Python type that these can be converted to.
    """
    owner = owner_of(data)
    if owner is not None:
        array = owner.to_numpy(data)
    elif _is_masked(data):
        cure = f"fill it: {name}.filled(value)"
        raise TypeError(f"{where}: {name} is a masked array, which would lose its mask; {cure}")
    else:
        try:
            array = np.asarray(data)
        except Exception as error:
            rule = f"{name} is no array of numbers, got {describe(data)}"
            rows = "; are its rows equally long?" if isinstance(data, (list, tuple)) else ""
            raise TypeError(f"{where}: {rule}{rows}") from error
    if array.dtype.kind in NUMBERS or (any_kind and array.shape):
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    got = f"{cut(str(array.dtype))} from {describe(data)}"
    how = f".astype({cure})" if hasattr(data, "astype") else f"numpy.array(list({name}), {cure})"
    tail = f"; convert it, as by {how}" if hasattr(data, "__iter__") else ""
    raise TypeError(f"{where}: {name} must hold numbers, got {got}{tail}")


def _is_masked(data: Any) -> bool:
    for _ in range(DEEPEST):
        if not isinstance(data, (list, tuple)) or not data:
            break
        data = data[0]
    return any(cls.__module__.startswith("numpy.ma") for cls in type(data).__mro__)


def _require_dtype(dtype: Any) -> None:
    try:
        known = np.dtype(dtype_name(dtype)).kind in NUMBERS
    except Exception:  # of any kind: NumPy asks the object itself, and reads its text
        known = False
    if not known:
        raise TypeError(f"asarray: dtype must be a type of numbers, such as 'float32', got {shown(dtype)}")
