"""Deep copies of networks and layers, with their arrays in another dtype or on another backend."""

import copy
from collections.abc import Iterator
from typing import Any, TypeVar

from backends import Backend, asarray, backend_of, dtype_name, kind, owner_of
from backprop.arrays.arrays import Arrays

T = TypeVar("T")
REAL_PART = {"complex64": "float32", "complex128": "float64"}


def copy_as(
    obj: T, *, dtype: Any = None, backend: Backend | None = None, of: tuple[str, ...] = ("params", "grads")
) -> T:
    """Return a deep copy of obj with its parameters and gradients in `dtype` and on `backend`, where given.

    obj: anything; `params`, `grads` and `state`, where it has them, are mappings of arrays, also those of the
    layers in `obj.layers`. State that holds floating-point numbers stays real in a complex copy.
    of: ("params",) leaves the gradients what they are, in a copy that is never run backwards.
    Every alias of such an array inside obj (`self.W` beside `params["W"]`) becomes the same new array; obj
    itself is not touched, whatever happens meanwhile.
    """
    memo: dict[int, Any] = {}
    real = None if dtype is None else REAL_PART.get(dtype_name(dtype), dtype)
    for arrays in mappings(obj, of):
        _convert(arrays, dtype, backend, memo)
    for arrays in mappings(obj, ("state",)):
        _convert(arrays, real, backend, memo)
    return copy.deepcopy(obj, memo)


def mappings(obj: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """Yield the mappings of arrays of these names (params, grads, state) of an object and of its layers."""
    layers = getattr(obj, "layers", {})
    for owner in (obj, *(layers.values() if hasattr(layers, "values") else ())):
        for name in names:
            arrays = getattr(owner, name, None)
            if arrays is not None and hasattr(arrays, "values"):
                yield arrays


def _convert(arrays: Any, dtype: Any, backend: Backend | None, memo: dict[int, Any]) -> None:
    """Remember, by identity, what each of these arrays becomes."""
    if isinstance(arrays, Arrays):
        whole = arrays._whole[0] if arrays._whole else arrays
        if id(whole.flat) not in memo:
            memo |= whole.aliases(_converted(whole.flat, dtype, backend))
        return
    for array in arrays.values():
        if owner_of(array) and id(array) not in memo:
            memo[id(array)] = _converted(array, dtype, backend)


def _converted(array: Any, dtype: Any, backend: Backend | None) -> Any:
    source = backend_of(array)
    new = source.copy(array) if dtype is None or kind(array) not in "fc" else source.astype(array, dtype)
    return new if backend is None or backend is source else asarray(new, backend=backend)
