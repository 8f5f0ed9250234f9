"""A layer as the book writes it: W, b and their gradients dW, db are attributes, not in params and grads."""

from typing import Any

from backends import kind
from backprop.gradient_check.requirements import is_array

KEPT = ("x", "y", "out")  # what a forward keeps rather than what a layer has


class AttributeLayer:
    """Such a layer in the usual form, with `params` and `grads`."""

    def __init__(self, layer: Any, names: list[str]) -> None:
        self.layer, self.names = layer, names
        self.params = {name: getattr(layer, name) for name in names}
        self.forward, self.backward = layer.forward, layer.backward

    @property
    def grads(self) -> dict[str, Any]:
        """The gradients that the last backward left."""
        return {name: getattr(self.layer, f"d{name}", None) for name in self.names}


def names_of_parameters(layer: Any, after: Any) -> list[str]:
    """The layer's arrays that have a gradient beside them in a copy of it, after its backward."""
    before, left = getattr(layer, "__dict__", {}), getattr(after, "__dict__", {})
    return [
        name
        for name, array in before.items()
        if f"d{name}" in left and name not in KEPT and is_array(array) and kind(array) == "f"
    ]
