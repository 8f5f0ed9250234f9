"""Memory for twins: `ws["out", (N, M)]` is an array to write into. Only a loop's Workspace reuses it."""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from backends.array import Array

if TYPE_CHECKING:
    from backends.backend import Backend


class NewArrays(dict[tuple[Any, ...], Any]):
    """Memory for a public call: a new array for every request, except those provided in advance.

    Request `ws["out", shape]`, or `ws["labels", shape, dtype]` for another dtype. Values are arbitrary.

    Parameters
    ----------
    backend : Backend
    dtype : dtype
        The default dtype.
    provided : dict of array
        Arrays by (name, shape) to be written in place, such as "dW" in a network's flat gradients.
    needs_dx : bool
        The gradient of the layer's input is needed. If not, a twin may return None for it.
    shared : dict, optional
        Memory to work in, by name, which all layers of a network share.
    """

    def __init__(
        self,
        backend: "Backend",
        dtype: Any,
        provided: Mapping[tuple[Any, ...], Array] = {},
        needs_dx: bool = True,
        shared: dict[str, Array] | None = None,
    ) -> None:
        super().__init__(provided)
        self.backend, self.dtype, self.needs_dx = backend, dtype, needs_dx
        self._shared = {} if shared is None else shared

    def scratch(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return memory to work in, until the next request of this name by any layer of the network."""
        size, flat = prod(shape), self._shared.get(name)
        if flat is None or flat.shape[0] < size:
            flat = self._shared[name] = self.backend.empty((size,), self.dtype)
        return self.backend.reshape(flat[:size], shape)

    def __missing__(self, key: tuple[Any, ...]) -> Array:
        return self.backend.empty(key[1], key[2] if len(key) > 2 else self.dtype)


class Workspace(NewArrays):
    """Memory for a loop: the same array for the same request in every step.

    Parameters
    ----------
    backend : Backend
    dtype : dtype
    provided : dict of array
    needs_dx : bool
    shared : dict, optional
        As for NewArrays.
    """

    def __missing__(self, key: tuple[Any, ...]) -> Array:
        array = self[key] = super().__missing__(key)
        return array
