"""Deep copies of networks and layers, with their arrays in another dtype or on another backend."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from backends import Backend, asarray, backend_of, dtype_name, kind, owner_of
from backprop.arrays.arrays import Arrays

T = TypeVar("T")
REAL_PART = {"complex64": "float32", "complex128": "float64"}


def copy_as(
    obj: T,
    *,
    dtype: Any = None,
    backend: Backend | None = None,
    of: tuple[str, ...] = ("params", "grads"),
    arrays: Iterable[Any] = (),
    stay_real: Iterable[Any] = (),
) -> T:
    """Return a deep copy of obj with its parameters and gradients in `dtype` and on `backend`, if given.

    Every alias of such an array inside obj (`self.W` beside `params["W"]`) becomes the same new array. obj
    itself is never changed, not even temporarily.

    Parameters
    ----------
    obj : object
        Its attributes `params`, `grads` and `state`, and those of the layers in `obj.layers`, are mappings of
        arrays. Floating-point state stays real in a complex copy.
    dtype : str or dtype, optional
    backend : Backend, optional
    of : tuple of str
        ("params",) leaves the gradients unconverted, for a copy that never runs backward.
    arrays : iterable of array
        More arrays to convert, anywhere in obj.
    stay_real : iterable of array
        More arrays that stay real, as state does. Host arrays here and in `arrays` that are views of one
        buffer are views of one buffer in the copy.
    """
    memo: dict[int, Any] = {}
    real = None if dtype is None else REAL_PART.get(dtype_name(dtype), dtype)
    others: list[tuple[Any, Any]] = []  # arrays and their new dtypes
    for names, to in ((of, dtype), (("state",), real)):
        for named in mappings(obj, names):
            if isinstance(named, Arrays):
                _convert(named, to, backend, memo)
            else:
                others += [(array, to) for array in named.values() if owner_of(array)]
    others += [(array, dtype) for array in arrays] + [(array, real) for array in stay_real]
    others = [each for each in others if id(each[0]) not in memo]
    for views in _shared_memory(array for array, _ in others) if backend is None else ():
        memo |= _converted_together(views, next(to for array, to in others if array is views[0]))
    for array, to in others:
        if id(array) not in memo:
            memo[id(array)] = _converted(array, to, backend)
    return copy.deepcopy(obj, memo)


def mappings(obj: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """Yield the named mappings of arrays (params, grads, state) of an object and its layers."""
    layers = getattr(obj, "layers", {})
    for owner in (obj, *(layers.values() if hasattr(layers, "values") else ())):
        for name in names:
            arrays = getattr(owner, name, None)
            if arrays is not None and hasattr(arrays, "values"):
                yield arrays


def _convert(arrays: Arrays, dtype: Any, backend: Backend | None, memo: dict[int, Any]) -> None:
    """Record in memo what the arrays of a flat buffer become, by id."""
    whole = arrays._whole[0] if arrays._whole else arrays
    if id(whole.flat) not in memo:
        memo |= whole.aliases(_converted(whole.flat, dtype, backend))


def _shared_memory(arrays: Iterable[Any]) -> list[list[Any]]:
    """Return groups of host arrays that share memory with each other.

    A group counts only if it covers most of the buffer, so that no data set is copied for a few of its rows.
    """
    groups: dict[int, dict[int, Any]] = {}
    for array in arrays:
        owner = _owner(array)
        if hasattr(array, "__array_interface__") and owner.flags.forc and owner.dtype == array.dtype:
            groups.setdefault(id(owner), {})[id(array)] = array
    found = [[*group.values()] for group in groups.values() if len(group) > 1]
    return [group for group in found if 2 * sum(each.size for each in group) >= _owner(group[0]).size]


def _owner(array: Any) -> Any:
    """Return the array whose memory an array uses, itself if it is not a view."""
    while type(base := getattr(array, "base", None)) is type(array):
        array = base
    return array


def _converted_together(views: list[Any], dtype: Any) -> dict[int, Any]:
    """Return by id copies of views of one buffer that are views of one new buffer."""
    owner = _owner(views[0])
    flat = owner.ravel(order="K").astype(owner.dtype if dtype is None else dtype)  # in the order of memory
    old, new, begin = owner.itemsize, flat.itemsize, owner.__array_interface__["data"][0]
    found = {}
    for view in views:
        offset = (view.__array_interface__["data"][0] - begin) // old * new
        strides = [stride // old * new for stride in view.strides]
        found[id(view)] = type(owner)(view.shape, flat.dtype, flat, offset, strides)
    return found


def _converted(array: Any, dtype: Any, backend: Backend | None) -> Any:
    source = backend_of(array)
    new = source.copy(array) if dtype is None or kind(array) not in "fc" else source.astype(array, dtype)
    return new if backend is None or backend is source else asarray(new, backend=backend)
