"""What enters from the user, checked where it enters: samples, labels, counts and hyperparameters."""

import math
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backends import Array, Backend, backend_of, describe, kind, owner_of, to_numpy

DLPACK_HOST = (1, 3)  # device types of DLPack: the CPU, and host memory that a GPU can see


def entering(where: str, name: str, data: Any, backend: Backend) -> Array:
    """Data as it enters at a boundary: an array of `backend` as it is, host data as a NumPy array.

    An array of another library on the backend's device is taken through DLPack, without a copy.
    Raises TypeError for another device's array, and for what is not an array of numbers.
    """
    owner = owner_of(data)
    adopted = backend.adopt(data) if owner is None else None
    if owner is backend or adopted is not None:
        array = data if adopted is None else adopted
        backend.require_current(where, **{name: array})
    elif owner is None and on_a_device(data):
        raise TypeError(
            f"{where}: {name} is on a device that backend {backend.name} cannot reach, got {describe(data)}; "
            "copy it to the host first, as tensor.cpu() does"
        )
    elif owner is None or owner.on_host:
        try:
            array = to_numpy(data)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"{where}: {name} is no array of numbers, got {describe(data)} ({error})"
            ) from None
    else:
        raise TypeError(
            f"{where}: {name} is an array of backend {owner.name} ({describe(data)}), but the network is on "
            f"{backend.name}; move one of them: asarray(..., backend={backend.name!r}) or "
            f"net.to({owner.name!r})"
        )
    if kind(array) not in "biufc":
        raise TypeError(f"{where}: {name} must hold numbers, got {array.dtype} from {describe(data)}")
    return array


def on_a_device(data: Any) -> bool:
    """Whether this is another library's array that is not in the host's memory."""
    device = getattr(data, "__dlpack_device__", None)
    return device is not None and device()[0] not in DLPACK_HOST


def samples(where: str, x: Any, size: int, backend: Backend) -> Array:
    """Samples as they enter, of shape (N, …) with `size` values each.  Raises TypeError, ValueError."""
    x = entering(where, "x", x, backend)
    require_samples(where, x, size)
    return x


def flatten_samples(where: str, x: Array, size: int) -> Array:
    """x (N, …) as (N, size).  Raises ValueError where a sample has another number of values."""
    require_samples(where, x, size)
    return backend_of(x).reshape(x, (x.shape[0], size))


def require_samples(where: str, x: Array, size: int) -> None:
    """Raise ValueError unless x has shape (N, …) with `size` values a sample."""
    if len(x.shape) < 1 or math.prod(x.shape[1:]) != size:
        cure = "; a single sample is x.reshape(1, -1)" if math.prod(x.shape) == size else ""
        raise ValueError(
            f"{where}: x must have shape (N, …) with {size} values a sample, got {x.shape}{cure}"
        )


def labels(where: str, t: Any, count: int, classes: int, backend: Backend, wait: bool = False) -> Array:
    """Labels as the kernels want them: (count,) int64, on `backend`.

    t: (count,) integers in [0, classes) or (count, classes) one-hot; host data or an array of the backend.
    The values of an array on a device are looked at with `wait` only, since that waits for the device.
    Raises ValueError for a wrong shape, a label out of range or a row that is not one-hot, TypeError for no
    integers.
    """
    t = entering(where, "labels", t, backend)
    host = t
    if owner_of(t) is backend:
        host = backend.to_numpy(t) if wait else backend.host_view(t)
    if t.shape == (count, classes):
        if host is None:
            return backend.argmax(t)
        if ((host != 0) & (host != 1)).any() or (host.sum(axis=1) != 1).any():
            raise ValueError(f"{where}: every row of one-hot labels must hold a single 1 and else 0")
        return backend.asarray(host.argmax(axis=1))
    if t.shape != (count,):
        raise ValueError(
            f"{where}: labels must have shape ({count},) or one-hot ({count}, {classes}), got {t.shape}"
        )
    if kind(t) not in "iu":
        raise TypeError(f"{where}: labels must be integers, got {t.dtype}; cast them: labels.astype(int)")
    if host is not None and count and not (host.min() >= 0 and host.max() < classes):
        raise ValueError(f"{where}: labels must lie in 0..{classes - 1}, got {host.min()}..{host.max()}")
    return backend.asarray(t if host is None else host, "int64")


@contextmanager
def memory(where: str, cure: str) -> Iterator[None]:
    """Say where memory ran out and what to lower; how much was asked for the library says itself."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(f"{where}: {error}; {cure}") from error


def positive_integer(where: str, name: str, value: Any) -> int:
    """value as an int of at least 1.  Raises TypeError for no integer, ValueError for a smaller one."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{where}: {name} must be an integer, got {value!r}") from None
    if number < 1:
        raise ValueError(f"{where}: {name} must be at least 1, got {number}")
    return number


def positive_number(where: str, name: str, value: Any, or_zero: bool = False) -> float:
    """value as a finite Python float above 0.  Raises TypeError for no number, ValueError for others."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{where}: {name} must be a number, got {value!r}") from None
    if not (0 < number < math.inf or (or_zero and number == 0)):
        raise ValueError(f"{where}: {name} must be a finite number above 0, got {number}")
    return number
