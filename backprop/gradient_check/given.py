"""The parameters and gradients that an adapter is told of: by the names of attributes, or by functions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends import cut, describe, listed, shown
from backprop.gradient_check.requirements import WHERE, is_array

Arrays = str | Sequence[str] | Callable[[Any], Mapping[str, Any] | Sequence[Any]]


@dataclass
class Given:
    """What an adapter was given, None for nothing.  Raises TypeError for neither names nor a function."""

    as_params: Arrays | None
    as_grads: Arrays | None

    def __post_init__(self) -> None:
        for name, given in (("params", self.as_params), ("grads", self.as_grads)):
            names = given if isinstance(given, (list, tuple)) else () if given is None else (given,)
            is_function = callable(given) and not isinstance(given, type)
            if not is_function and not all(isinstance(each, str) and each for each in names):
                rule = f"{name} must be an attribute's name, a list of such names, or a function of the layer"
                raise TypeError(f"Adapter: {rule}, got {shown(given)}")

    def __bool__(self) -> bool:
        return self.as_params is not None or self.as_grads is not None

    def params(self, layer: Any) -> dict[str, Any]:
        """Return the parameters by name; those of a list by the attribute's name and their position."""
        given, held = self.as_params, _held(layer, self.as_params or ())
        if isinstance(held, Mapping):
            return _by_name(held)
        if isinstance(given, (list, tuple)):
            return dict(zip(given, held, strict=True))
        if isinstance(given, str) and is_array(getattr(layer, given)):
            return {given: held[0]}
        whole = given if isinstance(given, str) else "params"
        return {f"{whole}[{i}]": array for i, array in enumerate(held)}

    def grads(self, layer: Any, names: Iterable[str]) -> dict[str, Any]:
        """Return the gradients by name; where they have no names of their own, those of the parameters."""
        held = _held(layer, self.as_grads or ())
        return _by_name(held) if isinstance(held, Mapping) else dict(zip(names, held, strict=False))


def _held(layer: Any, given: Arrays) -> Mapping[str, Any] | Sequence[Any]:
    """Return the arrays that were given, by name or in order.

    Raises TypeError for what is no array, AttributeError for a name that the layer does not have.
    """
    if isinstance(given, (list, tuple)):
        return [_attribute(layer, name) for name in given]
    held = given(layer) if callable(given) else _attribute(layer, given)
    if is_array(held):
        return [held]
    if not isinstance(held, (Mapping, list, tuple, type(None))):
        raise TypeError(f"{WHERE}: params and grads must name arrays, or return them, got {describe(held)}")
    return held or ()


def _by_name(arrays: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): array for name, array in arrays.items()}


def _attribute(layer: Any, name: Any) -> Any:
    if hasattr(layer, name):
        return getattr(layer, name)
    rule = f"{type(layer).__name__} has no {cut(name)}, which params or grads names"
    raise AttributeError(f"{WHERE}: {rule} (it has {listed(getattr(layer, '__dict__', ()))})")
