"""Deep copies of networks and layers with their parameters in another dtype or on another backend."""

import copy
from typing import Any, TypeVar

from backends import Backend, asarray, backend_of, owner_of
from backprop.parameters import Parameters

T = TypeVar("T")


def copy_as(
    obj: T, *, dtype: Any = None, backend: Backend | None = None, of: tuple[str, ...] = ("params", "grads")
) -> T:
    """A deep copy of obj with its parameters and gradients in `dtype` and on `backend`, where given.

    of: ("params",) leaves the gradients what they are, in a copy that is never run backwards.

    obj: anything; `params` and `grads`, where it has them, are mappings of arrays. Every alias of such an
    array inside obj (`self.W` beside `params["W"]`) becomes the same new array; obj itself is not touched,
    whatever happens meanwhile.
    """
    memo: dict[int, Any] = {}
    for arrays in (getattr(obj, name, {}) for name in of):
        owner = getattr(arrays, "owner", arrays)
        if isinstance(owner, Parameters):
            memo |= owner.aliases(_converted(owner.flat, dtype, backend))
        else:
            memo |= {id(a): _converted(a, dtype, backend) for a in owner.values() if owner_of(a)}
    return copy.deepcopy(obj, memo)


def _converted(array: Any, dtype: Any, backend: Backend | None) -> Any:
    source = backend_of(array)
    new = source.copy(array) if dtype is None else source.astype(array, dtype)
    return new if backend is None or backend is source else asarray(new, backend=backend)
