"""A place in an object: a path of attributes and items that leads to the same array in every copy.

It stays valid when a pass replaces the array.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from backprop.gradient_check.styles import PARAMETERS, VALUES

# Steps: ("attribute", name), ("item", key), or ("member", i) of a set, whose order differs between copies.
Place = tuple[tuple[str, Any], ...]


@dataclass
class Reached:
    """An array, or numbers, and all places where it lies, the nearest first."""

    array: Any
    places: list[Place]

    @property
    def name(self) -> str:
        """The array's name in a report."""
        return name_of(self.places[0])


def at(obj: Any, place: Place) -> Any:
    """Return the value at a place in an object. Raise LookupError or AttributeError if there is none."""
    for kind_of_step, key in place:
        if kind_of_step == "attribute":
            obj = getattr(obj, key)
        else:
            obj = ([*obj] if kind_of_step == "member" else obj)[key]
    return obj


def exists(obj: Any, place: Place) -> bool:
    """Return whether anything lies at a place."""
    try:
        at(obj, place)
    except (LookupError, AttributeError, TypeError):
        return False
    return True


def put(obj: Any, place: Place, value: Any) -> None:
    """Put another value at a place in an object; the old value is not modified."""
    *before, (kind_of_step, key) = place
    owner = at(obj, tuple(before))
    if isinstance(owner, tuple):
        items = [*owner[:key], value, *owner[key + 1 :]]
        put(obj, tuple(before), type(owner)(*items) if hasattr(owner, "_fields") else tuple(items))
    elif kind_of_step != "attribute":
        owner[key] = value
    else:
        try:
            setattr(owner, key, value)
        except Exception:  # a frozen object may raise anything
            object.__setattr__(owner, key, value)


def replaced(obj: Any, arrays: Iterable[Reached]) -> Any:
    """Return a deep copy of an object with these arrays at their places."""
    copied = deepcopy(obj)
    for each in arrays:
        for place in each.places:
            put(copied, place, each.array)
    return copied


def name_of(place: Place) -> str:
    """Return a place in Python's notation, "W" or "layers[0].W"; a named item of `params` is its name."""
    text = ""
    for i, (kind_of_step, key) in enumerate(place):
        is_last, before = i == len(place) - 1, place[i - 1] if i else ("", "")
        if key == "__self__" or text and is_last and kind_of_step == "attribute" and key in VALUES:
            continue  # the owner of a stored method, or the values of an array-like object
        if kind_of_step == "attribute":
            text += f".{key}"
        elif is_last and isinstance(key, str) and before in [("attribute", name) for name in PARAMETERS]:
            text = f"{text.rpartition('.')[0]}.{key}"
        else:
            text += f"[{key!r}]"
    return text.removeprefix(".")
