"""Deep copies of networks and layers with their parameters in another dtype or on another backend."""

import copy
from typing import Any, TypeVar

from backends import Backend, asarray, backend_of

T = TypeVar("T")


def copy_as(obj: T, *, dtype: Any = None, backend: Backend | None = None) -> T:
    """A deep copy of obj whose parameters and gradients are in `dtype` and on `backend` (as they are where
    None).

    obj: anything; `params` and `grads`, where it has them, are mappings of arrays. Every alias of such an
    array inside obj (`self.W` beside `params["W"]`) becomes the same new array; obj itself is not touched,
    whatever happens meanwhile.
    """
    memo: dict[int, Any] = {}
    for arrays in (getattr(obj, "params", {}), getattr(obj, "grads", {})):
        owner = getattr(arrays, "owner", arrays)
        for array in [owner.flat] if hasattr(owner, "flat") else owner.values():
            memo[id(array)] = _converted(array, dtype, backend)
    return copy.deepcopy(obj, memo)


def _converted(array: Any, dtype: Any, backend: Backend | None) -> Any:
    source = backend_of(array)
    new = source.copy(array) if dtype is None else source.astype(array, dtype)
    return new if backend is None or backend is source else asarray(new, backend=backend)
