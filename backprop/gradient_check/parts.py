"""The layers of a network, wherever it holds them, and their inputs in a run."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from backends import backend_of, owner_of
from backprop.networks.own_passes import attributes_of

Layers = list[tuple[str, Any, tuple[Any, ...]]]


def called_layers(net: Any, run: Callable[[], Any]) -> Layers:
    """Return the layers that a run of a network calls, in order: name, layer, inputs of the first call.

    The inputs are the first argument and any further arrays and lists, which are targets; not flags.
    """
    parts = _named(net)
    kinds = {name: type(part) for name, part in parts.items()}
    calls: dict[str, tuple[Any, ...]] = {}
    try:
        for name, part in parts.items():
            with suppress(TypeError):  # some classes do not let __class__ be assigned
                part.__class__ = _watched(kinds[name], name, calls)
        run()
    finally:
        for name, part in parts.items():
            with suppress(TypeError):
                part.__class__ = kinds[name]
    return [(name, parts[name], inputs) for name, inputs in calls.items()]


def _named(net: Any) -> dict[str, Any]:
    """Return the objects with forward and backward in a network's attributes and their containers, by name.

    The name is a key or a class; if two would be the same, it is a path: layers[0].
    """
    found: dict[int, tuple[str, str, Any]] = {}
    for attribute, value in attributes_of(net).items():
        for name, path, part in _objects_in(attribute, value):
            passes = callable(getattr(part, "forward", None)) and callable(getattr(part, "backward", None))
            if passes and not isinstance(part, type):
                found.setdefault(id(part), (name, path, part))
    count = Counter(name for name, _, _ in found.values())
    return {name if count[name] == 1 else path: part for name, path, part in found.values()}


def _objects_in(attribute: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield the objects of an attribute, or in its mapping or list: name, path, object."""
    if isinstance(value, Mapping):
        yield from ((str(key), f"{attribute}[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((type(part).__name__, f"{attribute}[{i}]", part) for i, part in enumerate(value))
    else:
        yield type(value).__name__, attribute, value


def _watched(kind: type, name: str, calls: dict[str, tuple[Any, ...]]) -> type:
    """Return a subclass that records the inputs of its first forward."""

    def forward(self: Any, x: Any, *rest: Any, **options: Any) -> Any:
        targets = [
            data for data in (*rest, *options.values()) if owner_of(data) or isinstance(data, (list, tuple))
        ]
        calls.setdefault(name, tuple(map(_kept, (x, *targets))))
        return kind.forward(self, x, *rest, **options)  # type: ignore[attr-defined]

    return type(kind.__name__, (kind,), {"forward": forward})


def _kept(data: Any) -> Any:
    return backend_of(data).copy(data) if getattr(data, "shape", ()) else data
