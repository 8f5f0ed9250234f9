"""Labels as users pass them, integers or one-hot rows, checked and converted; soft targets, checked."""

from typing import Any

from backends import Array, Backend, kind, shown
from backprop.arrays.entering import entering, host_values

ROUNDING = {2: 2.0**-10, 4: 2.0**-23}  # of one operation in float16 and float32, by bytes
ROUNDING_64 = 2.0**-52


def labels(
    where: str, t: Any, count: int, classes: int, backend: Backend, wait: bool = False, soft: bool = False
) -> Array:
    """Return labels as formulas need them: (count,) int64, on `backend`, or soft targets.

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
    soft : bool
        Accept floats (count, classes) that are not one-hot: of at least 0, with a sum of 1 in every row. On a
        device they are taken for soft targets if they are not checked.

    Raises
    ------
    ValueError
        If the shape is wrong, a label is out of range, or a row is not one-hot, or soft targets do not sum to
        1 within the rounding of their dtype.
    TypeError
        If labels are not integers.
    """
    t = entering(where, "labels", t, backend, wait, cure="int")
    host = host_values(t, backend, wait)
    if t.shape == (count, classes):
        if kind(t) == "c":
            raise TypeError(f"{where}: labels must be real, got {t.dtype}")
        return (_from_soft if soft and kind(t) == "f" else _from_one_hot)(where, t, host, backend)
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
    wrong = _not_one_hot(host)
    if wrong.any():
        at = int(wrong.argmax())
        rule = "every row of one-hot labels must hold a single 1 and otherwise 0"
        raise ValueError(f"{where}: {rule}, got {shown(host[at].tolist())} at [{at}]")
    return backend.asarray(host.argmax(axis=1))


def _not_one_hot(host: Any) -> Any:
    """Return whether each row is anything but a single 1 and otherwise 0."""
    return ((host != 0) & (host != 1)).any(axis=1) | (host.sum(axis=1) != 1)


def _from_soft(where: str, t: Array, host: Any, backend: Backend) -> Array:
    """Return soft targets, or labels if all rows are one-hot.  host: as for _from_one_hot.

    In float16 and float32 the sums are 1 up to rounding. It is divided out, in float64, since a loss computed
    from differences to the largest logit takes them to be 1.
    """
    if host is None:
        return t
    if not _not_one_hot(host).any():
        return backend.asarray(host.argmax(axis=1))
    if (host < 0).any():
        row, column = divmod(int((host < 0).argmax()), host.shape[1])
        rule, cure = "soft targets must be at least 0", "for logits pass their softmax"
        raise ValueError(f"{where}: {rule}, got {host[row, column]:g} at [{row}, {column}]; {cure}")
    sums, rounding = host.sum(axis=1, dtype="float64"), ROUNDING.get(host.dtype.itemsize)
    wrong = abs(sums - 1.0) > (8 + host.shape[1]) * (rounding or ROUNDING_64)
    if wrong.any():
        at = int(wrong.argmax())
        cure, got = _cure_of_sum(host[at], sums[at]), f"{sums[at]:.16g} at [{at}]"
        raise ValueError(f"{where}: every row of soft targets must sum to 1, got {got}; {cure}")
    return host / sums[:, None] if rounding else t


def _cure_of_sum(row: Any, total: float) -> str:
    """Return what to do about a row of soft targets with this wrong sum."""
    if ((row == 0) | (row == 1)).all():
        return "for several classes per sample, or none, use SigmoidBinaryCrossEntropy"
    if abs(total - 100.0) < 1.0:
        return "divide percentages by 100"
    return "divide each row by its sum; for logits pass their softmax"


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
