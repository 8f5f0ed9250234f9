"""The layers of a network, wherever it holds them, and the inputs of each when the network runs."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from backends import backend_of, owner_of
from backprop.networks.own_passes import attributes_of

Layers = list[tuple[str, Any, tuple[Any, ...]]]


def layers_at_work(net: Any, run: Callable[[], Any]) -> Layers:
    """Return the layers that a run of a network calls, in that order: name, layer, inputs of the first call.

    The inputs are the first, and further arrays and lists, which are targets: no flags.
    """
    parts = _named(net)
    kinds = {name: type(part) for name, part in parts.items()}
    calls: dict[str, tuple[Any, ...]] = {}
    try:
        for name, part in parts.items():
            with suppress(TypeError):  # a class of which objects cannot change
                part.__class__ = _watched(kinds[name], name, calls)
        run()
    finally:
        for name, part in parts.items():
            with suppress(TypeError):
                part.__class__ = kinds[name]
    return [(name, parts[name], inputs) for name, inputs in calls.items()]


def _named(net: Any) -> dict[str, Any]:
    """Return the objects with forward and backward among a network's attributes, and in what they hold.

    By key or by class; where two would have one name, as Python reaches them: layers[0].
    """
    found: dict[int, tuple[str, str, Any]] = {}
    for attribute, value in attributes_of(net).items():
        for name, path, part in _held(attribute, value):
            passes = callable(getattr(part, "forward", None)) and callable(getattr(part, "backward", None))
            if passes and not isinstance(part, type):
                found.setdefault(id(part), (name, path, part))
    count = Counter(name for name, _, _ in found.values())
    return {name if count[name] == 1 else path: part for name, path, part in found.values()}


def _held(attribute: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield what an attribute holds, itself or in a mapping or list: name, how Python reaches it, object."""
    if isinstance(value, Mapping):
        yield from ((str(key), f"{attribute}[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((type(part).__name__, f"{attribute}[{i}]", part) for i, part in enumerate(value))
    else:
        yield type(value).__name__, attribute, value


def _watched(kind: type, name: str, calls: dict[str, tuple[Any, ...]]) -> type:
    """Return the class that notes what its forward is given first."""

    def forward(self: Any, x: Any, *rest: Any, **options: Any) -> Any:
        targets = [
            data for data in (*rest, *options.values()) if owner_of(data) or isinstance(data, (list, tuple))
        ]
        calls.setdefault(name, tuple(map(_kept, (x, *targets))))
        return kind.forward(self, x, *rest, **options)  # type: ignore[attr-defined]

    return type(kind.__name__, (kind,), {"forward": forward})


def _kept(data: Any) -> Any:
    return backend_of(data).copy(data) if getattr(data, "shape", ()) else data
