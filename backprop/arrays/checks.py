"""What enters from the user, checked where it enters: samples, targets, counts and hyperparameters."""

import math
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backends import Array, Backend, describe, dtype_name, kind, mix, one_backend, owner_of, to_numpy

FLOAT32_MAX = 3.4028234663852886e38
DLPACK_HOST = (1, 3)  # device types of DLPack: the CPU, and host memory that a GPU can see


def entering(where: str, name: str, data: Any, backend: Backend, wait: bool = False) -> Array:
    """Return data as it enters at a boundary: an array of `backend` as it is, host data as a NumPy array.

    An array of another library on the backend's device is taken through DLPack, without a copy.
    wait: also look at the values of an array on a device, which waits for it; those on the host always are.
    Raises TypeError for another device's array and for what is not an array of numbers, ValueError for NaN
    and infinities.
    """
    owner = owner_of(data)
    if owner is backend:
        array = data
    else:
        array = _taken_in(where, name, data, backend, owner)
        owner = owner_of(array)
    if owner is backend:
        backend.require_current(where, **{name: array})
    what = kind(array)
    if what not in "biufc":
        got = f"{array.dtype} from {describe(data)}"
        raise TypeError(f"{where}: {name} must hold numbers, got {got}; convert it, as by .astype(float)")
    if owner is not None and what in "fc" and (owner.on_host or wait) and not owner.all_finite(array):
        raise ValueError(f"{where}: {name} must be finite, got {first_not_finite(to_numpy(array))}")
    return array


def _taken_in(where: str, name: str, data: Any, backend: Backend, owner: Backend | None) -> Array:
    """Return what is no array of the backend as one, or as a NumPy array."""
    what = describe(data)
    if owner is not None and not owner.on_host:
        rule = f"is an array of backend {owner.name} ({what}), but the network is on {backend.name}"
        cure = f"move one of them: asarray(..., backend={backend.name!r}) or net.to({owner.name!r})"
        raise TypeError(f"{where}: {name} {rule}; {cure}")
    adopted = backend.adopt(data) if owner is None else None
    if adopted is not None:
        return adopted
    device = getattr(data, "__dlpack_device__", None)
    if owner is None and device is not None and device()[0] not in DLPACK_HOST:
        rule = f"is on a device that backend {backend.name} cannot reach"
        cure = "copy it to the host first, as tensor.cpu() does"
        raise TypeError(f"{where}: {name} {rule}, got {what}; {cure}")
    try:
        return to_numpy(data)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{where}: {name} is no array of numbers, got {what} ({error})") from None


def first_not_finite(values: Any) -> str:
    """Return the first NaN or infinity of a host array and its index, "nan at [0, 1]"; "" if it is finite."""
    finite = abs(values) < math.inf
    if finite.all():
        return ""
    index = index_of(int(finite.argmin()), values.shape)
    return f"{values[tuple(index)].item()} at {index}"


def index_of(position: int, shape: tuple[int, ...]) -> list[int]:
    """Return the index that a position in the flattened array has in this shape."""
    index: list[int] = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.insert(0, i)
    return index


def cast(where: str, name: str, x: Array, dtype: Any, backend: Backend) -> Array:
    """Return checked data on the device in another dtype; complex ones stay complex.

    Raises ValueError for data on the host that are too large for float32.
    """
    if type(x) is backend.array_type and x.dtype == dtype:
        return x
    owner, what = owner_of(x), kind(x)
    if what == "c":
        return backend.asarray(x)
    if what == "f" and owner is not None and owner.on_host and dtype_name(dtype) == "float32":
        largest = max(float(x.max()), -float(x.min())) if math.prod(x.shape) else 0.0
        if largest > FLOAT32_MAX:
            cure = "scale it, or make the network with dtype='float64'"
            raise ValueError(f"{where}: {name} must fit into float32, got {largest:g}; {cure}")
    return backend.asarray(x, dtype)


def require_samples(where: str, x: Array, size: int) -> None:
    """Raise ValueError unless x has shape (N, …) with `size` values per sample."""
    shape = x.shape
    if len(shape) < 1 or math.prod(shape[1:]) != size:
        cure = "; a single sample is x.reshape(1, -1)" if math.prod(shape) == size else ""
        rule = f"x must have shape (N, …) with {size} values per sample"
        raise ValueError(f"{where}: {rule}, got {shape}{cure}")


def labels(where: str, t: Any, count: int, classes: int, backend: Backend, wait: bool = False) -> Array:
    """Return labels as formulas want them: (count,) int64, on `backend`.

    t: (count,) integers in [0, classes) or (count, classes) one-hot; host data or an array of the backend.
    wait: also look at the values of an array on a device, which waits for it.
    Raises ValueError for a wrong shape, a label out of range or a row that is not one-hot, TypeError for
    labels that are not integers.
    """
    t = entering(where, "labels", t, backend, wait)
    host = t
    if type(t) is backend.array_type:
        host = backend.to_numpy(t) if wait else backend.host_view(t)
    if t.shape == (count, classes):
        if host is None:
            return backend.xp.argmax(t, axis=1)
        if ((host != 0) & (host != 1)).any() or (host.sum(axis=1) != 1).any():
            raise ValueError(f"{where}: every row of one-hot labels must hold a single 1 and else 0")
        return backend.asarray(host.argmax(axis=1))
    if t.shape != (count,):
        cure = "; labels.ravel() makes them one-dimensional" if t.shape == (count, 1) else ""
        rule = f"labels must have shape ({count},) or one-hot ({count}, {classes})"
        raise ValueError(f"{where}: {rule}, got {t.shape}{cure}")
    if kind(t) not in "iu":
        raise TypeError(f"{where}: labels must be integers, got {t.dtype}; cast them: labels.astype(int)")
    if host is None:
        return backend.asarray(t, "int64")
    integers = host if host.dtype == "int64" else host.astype("int64")
    if count and integers.view("uint64").max() >= classes:  # where a negative number is a very large one
        at = int(((integers < 0) | (integers >= classes)).argmax())
        got = f"{host.min()}..{host.max()}: {host[at]} at [{at}]"
        raise ValueError(f"{where}: labels must lie in 0..{classes - 1}, got {got}")
    return backend.asarray(t if integers is host else integers, "int64")


def require_alike(where: str, /, **arrays: Array) -> Backend:
    """Return the backend of floating-point arrays of one library and dtype; a complex dtype may meet any.

    Raises TypeError for others, with their names.
    """
    backend = one_backend(where, **arrays)
    (first, a), *others = arrays.items()
    if kind(a) not in "fc":
        cure = "cast it: asarray(array, 'float32')"
        raise TypeError(f"{where}: {first} must hold floating-point numbers, got {a.dtype}; {cure}")
    for name, b in others:
        if not mix(a.dtype, b.dtype):
            rule = f"{first} and {name} must have one dtype, got {a.dtype} and {b.dtype}"
            raise TypeError(f"{where}: {rule}; cast one with asarray(array, dtype)")
    return backend


@contextmanager
def memory(where: str, cure: str) -> Iterator[None]:
    """Say where memory ran out and what to lower; how much was asked for the library says itself."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(f"{where}: {error}; {cure}") from error


def positive_integer(where: str, name: str, value: Any) -> int:
    """Return value as an int of at least 1.  Raises TypeError if it is no integer, ValueError if smaller."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{where}: {name} must be an integer, got {value!r}")
    number = operator.index(value)
    if number < 1:
        raise ValueError(f"{where}: {name} must be at least 1, got {number}")
    return number


def positive_number(
    where: str, name: str, value: Any, or_zero: bool = False, below: float = math.inf
) -> float:
    """Return value as a finite float above 0 and below `below`; raise TypeError or ValueError for another."""
    wrong = TypeError(f"{where}: {name} must be a number, got {value!r}")
    if isinstance(value, (bool, str, bytes)):
        raise wrong
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise wrong from None
    except OverflowError:
        number = math.inf
    if not (0 < number < below or (or_zero and number == 0)):
        least = "of at least 0" if or_zero else "above 0"
        most = "" if below == math.inf else f" and below {below:g}"
        raise ValueError(f"{where}: {name} must be a finite number {least}{most}, got {number}")
    return number
