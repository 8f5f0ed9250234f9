"""Memory for twins: `ws["out", (N, M)]` is an array to write into. Only a loop's Workspace gives it again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backends.array import Array

if TYPE_CHECKING:
    from backends.backend import Backend


class NewArrays(dict[tuple[Any, ...], Array]):
    """Arrays for a public call: a new one at every request, except those that are lent.

    ws["out", shape], or ws["labels", shape, dtype] for another dtype than `dtype`; the values are arbitrary.
    lent: arrays by (name, shape), such as "dW" in a network's flat gradients: they are written in place.
    needs_dx: whether anybody asks for the gradient of the layer's input; if not, a twin may return None.
    """

    def __init__(
        self,
        backend: "Backend",
        dtype: Any,
        lent: Mapping[tuple[Any, ...], Array] = {},
        needs_dx: bool = True,
    ) -> None:
        super().__init__(lent)
        self.backend, self.dtype, self.needs_dx = backend, dtype, needs_dx

    def __missing__(self, key: tuple[Any, ...]) -> Array:
        return self.backend.empty(key[1], key[2] if len(key) > 2 else self.dtype)


class Workspace(NewArrays):
    """Arrays for a loop: the same one in every step."""

    def __missing__(self, key: tuple[Any, ...]) -> Array:
        array = self[key] = super().__missing__(key)
        return array
