"""Names of a network's layers and arrays: their own names, counted along the chain."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from backends import Array, cut


def counted(what: str, owned: Mapping[str, Iterable[str]]) -> dict[str, dict[str, str]]:
    """Return for each layer a dict from its own names to the network's counted ones: W1 b1 W2 b2.

    Raises ValueError if two names collide: the first w1 and the eleventh w would both be w11.
    """
    counts: Counter[str] = Counter()
    names: dict[str, dict[str, str]] = {layer: {} for layer in owned}
    places: dict[str, str] = {}
    for layer, own in ((layer, own) for layer, owns in owned.items() for own in owns):
        counts[own] += 1
        outer = names[layer][own] = f"{own}{counts[own]}"
        before = places.setdefault(outer, place := f"{own} of {layer}")
        if before != place:
            both = f"two {what} would be called {outer}, {cut(before)} and {cut(place)}"
            raise ValueError(f"Network: {both}; rename one")
    return names


def states_of(layers: Mapping[str, Any]) -> dict[str, Mapping[str, Array]]:
    """Return the state of each layer; an empty dict for an object without state."""
    states = {name: getattr(layer, "state", None) for name, layer in layers.items()}
    return {name: state if isinstance(state, Mapping) else {} for name, state in states.items()}
