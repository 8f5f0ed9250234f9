"""Memory for twins: `ws["out", (N, M)]` is an array to write into. Only a loop's Workspace reuses it."""

from collections.abc import Mapping
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
    """

    def __init__(
        self,
        backend: "Backend",
        dtype: Any,
        provided: Mapping[tuple[Any, ...], Array] = {},
        needs_dx: bool = True,
    ) -> None:
        super().__init__(provided)
        self.backend, self.dtype, self.needs_dx = backend, dtype, needs_dx

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
        As for NewArrays.
    """

    def __missing__(self, key: tuple[Any, ...]) -> Array:
        array = self[key] = super().__missing__(key)
        return array
