"""Labels as users pass them, integers or one-hot rows, checked and converted."""

from typing import Any

from backends import Array, Backend, kind, shown
from backprop.arrays.entering import entering


def labels(where: str, t: Any, count: int, classes: int, backend: Backend, wait: bool = False) -> Array:
    """Return labels as formulas need them: (count,) int64, on `backend`.

    Parameters
    ----------
    where : str
        Name of the caller, for errors.
    t : array
        (count,) integers in [0, classes) or (count, classes) one-hot; host data or an array of the backend.
    count, classes : int
    backend : Backend
    wait : bool
        Also check the values of an array on a device, which waits for it.

    Raises
    ------
    ValueError
        If the shape is wrong, a label is out of range, or a row is not one-hot.
    TypeError
        If labels are not integers.
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
        raise TypeError(f"{where}: labels must be integers, got {_not_integers(t, host)}")
    if host is None:
        return backend.asarray(t, "int64")
    integers = host if host.dtype == "int64" else host.astype("int64")
    if count and integers.view("uint64").max() >= classes:  # where negative labels are very large
        at = int(((integers < 0) | (integers >= classes)).argmax())
        got = f"{host.min()}..{host.max()}: {host[at]} at [{at}]"
        raise ValueError(f"{where}: labels must lie in 0..{classes - 1}, got {got}")
    return backend.asarray(t if integers is host else integers, "int64")


def _from_one_hot(where: str, t: Array, host: Any, backend: Backend) -> Array:
    """Return the labels of one-hot rows.  host: their values, or None if they are not checked."""
    if host is None:
        return backend.xp.argmax(t, axis=1)
    wrong = ((host != 0) & (host != 1)).any(axis=1) | (host.sum(axis=1) != 1)
    if wrong.any():
        at = int(wrong.argmax())
        rule = "every row of one-hot labels must hold a single 1 and otherwise 0"
        raise ValueError(f"{where}: {rule}, got {shown(host[at].tolist())} at [{at}]")
    return backend.asarray(host.argmax(axis=1))


def _cure_of_shape(shape: tuple[int, ...], count: int) -> str:
    """Return what to do about labels of this wrong shape, or ""."""
    if shape == (count, 1):
        return "; use numpy.ravel(labels)"
    if len(shape) == 2 and shape[0] == count:
        return f"; these are one-hot for {shape[1]} classes"
    return ""


def _not_integers(t: Array, host: Any) -> str:
    """Return a description of labels that are not integers, with a cure if there is one."""
    if kind(t) == "f" and host is not None and (host % 1 != 0).any():
        at = int((host % 1 != 0).argmax())
        return f"{host[at]} at [{at}]"
    return f"{t.dtype}; cast them: labels.astype(int)"
