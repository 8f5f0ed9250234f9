"""Labels as users have them: integers or one-hot rows, checked where they enter."""

from typing import Any

from backends import Array, Backend, kind, shown
from backprop.arrays.entering import entering


def labels(where: str, t: Any, count: int, classes: int, backend: Backend, wait: bool = False) -> Array:
    """Return labels as formulas want them: (count,) int64, on `backend`.

    t: (count,) integers in [0, classes) or (count, classes) one-hot; host data or an array of the backend.
    wait: also look at the values of an array on a device, which waits for it.
    Raises ValueError for a wrong shape, a label out of range or a row that is not one-hot, TypeError for
    labels that are not integers.
    """
    t = entering(where, "labels", t, backend, wait, cure="int")
    host = t
    if type(t) is backend.array_type:
        host = backend.to_numpy(t) if wait else backend.host_view(t)
    if t.shape == (count, classes):
        return _from_one_hot(where, t, host, backend)
    if t.shape != (count,):
        rule = f"labels must have shape ({count},) or one-hot ({count}, {classes})"
        raise ValueError(f"{where}: {rule}, got {t.shape}{_cure_of_shape(t.shape, count)}")
    if kind(t) not in "iu":
        raise TypeError(f"{where}: labels must be integers, got {_no_integers(t, host)}")
    if host is None:
        return backend.asarray(t, "int64")
    integers = host if host.dtype == "int64" else host.astype("int64")
    if count and integers.view("uint64").max() >= classes:  # where a negative number is a very large one
        at = int(((integers < 0) | (integers >= classes)).argmax())
        got = f"{host.min()}..{host.max()}: {host[at]} at [{at}]"
        raise ValueError(f"{where}: labels must lie in 0..{classes - 1}, got {got}")
    return backend.asarray(t if integers is host else integers, "int64")


def _from_one_hot(where: str, t: Array, host: Any, backend: Backend) -> Array:
    """Return the labels of one-hot rows.  host: their values, or None where they are not looked at."""
    if host is None:
        return backend.xp.argmax(t, axis=1)
    wrong = ((host != 0) & (host != 1)).any(axis=1) | (host.sum(axis=1) != 1)
    if wrong.any():
        at = int(wrong.argmax())
        rule = "every row of one-hot labels must hold a single 1 and else 0"
        raise ValueError(f"{where}: {rule}, got {shown(host[at].tolist())} at [{at}]")
    return backend.asarray(host.argmax(axis=1))


def _cure_of_shape(shape: tuple[int, ...], count: int) -> str:
    """Return what to do about labels of a wrong shape, where that is clear."""
    if shape == (count, 1):
        return "; numpy.ravel(labels) makes them one-dimensional"
    if len(shape) == 2 and shape[0] == count:
        return f"; the network tells other classes apart than these {shape[1]}"
    return ""


def _no_integers(t: Array, host: Any) -> str:
    """Return what came in place of integers, and the cure where there is one."""
    if kind(t) == "f" and host is not None and (host % 1 != 0).any():
        at = int((host % 1 != 0).argmax())
        return f"{host[at]} at [{at}]"
    return f"{t.dtype}; cast them: labels.astype(int)"
