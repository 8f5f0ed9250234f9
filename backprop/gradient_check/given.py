"""The parameters and gradients that an adapter was given: names of attributes, or functions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backends import cut, describe, listed, shown
from backprop.gradient_check.requirements import WHERE, is_array

Arrays = str | Sequence[str] | Callable[[Any], Mapping[str, Any] | Sequence[Any]]


@dataclass
class Given:
    """The `params` and `grads` of an adapter, None if not given. Raises TypeError for other types."""

    as_params: Arrays | None
    as_grads: Arrays | None

    def __post_init__(self) -> None:
        for name, given in (("params", self.as_params), ("grads", self.as_grads)):
            names = given if isinstance(given, (list, tuple)) else () if given is None else (given,)
            is_function = callable(given) and not isinstance(given, type)
            if not is_function and not all(isinstance(each, str) and each for each in names):
                rule = f"{name} must be an attribute's name, a list of names, or a function of the layer"
                raise TypeError(f"Adapter: {rule}, got {shown(given)}")

    def __bool__(self) -> bool:
        return self.as_params is not None or self.as_grads is not None

    def params(self, layer: Any) -> dict[str, Any]:
        """Return the parameters by name; arrays in a list are named params[0], params[1], …"""
        given, arrays = self.as_params, _arrays_given(layer, self.as_params or ())
        if isinstance(arrays, Mapping):
            return _by_name(arrays)
        if isinstance(given, (list, tuple)):
            return dict(zip(given, arrays, strict=True))
        if isinstance(given, str) and is_array(getattr(layer, given)):
            return {given: arrays[0]}
        whole = given if isinstance(given, str) else "params"
        return {f"{whole}[{i}]": array for i, array in enumerate(arrays)}

    def grads(self, layer: Any, names: Iterable[str]) -> dict[str, Any]:
        """Return the gradients by name; gradients in a list take the parameters' names in order."""
        arrays = _arrays_given(layer, self.as_grads or ())
        return _by_name(arrays) if isinstance(arrays, Mapping) else dict(zip(names, arrays, strict=False))


def _arrays_given(layer: Any, given: Arrays) -> Mapping[str, Any] | Sequence[Any]:
    """Return the arrays that were given, by name or in order.

    Raise TypeError for anything but arrays, AttributeError for a name that the layer lacks.
    """
    if isinstance(given, (list, tuple)):
        return [_attribute(layer, name) for name in given]
    arrays = given(layer) if callable(given) else _attribute(layer, given)
    if is_array(arrays):
        return [arrays]
    if not isinstance(arrays, (Mapping, list, tuple, type(None))):
        raise TypeError(f"{WHERE}: params and grads must name or return arrays, got {describe(arrays)}")
    return arrays or ()


def _by_name(arrays: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): array for name, array in arrays.items()}


def _attribute(layer: Any, name: Any) -> Any:
    if hasattr(layer, name):
        return getattr(layer, name)
    rule = f"{type(layer).__name__} has no attribute {cut(name)}, named in params or grads"
    raise AttributeError(f"{WHERE}: {rule} (it has {listed(getattr(layer, '__dict__', ()))})")
