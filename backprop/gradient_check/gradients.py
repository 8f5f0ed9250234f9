"""Where the gradient of an array lies in a layer, as far as the names tell that people give to it."""

from collections.abc import Iterator, Mapping
from typing import Any

from backends import owner_of
from backprop.gradient_check.places import Place, at, exists
from backprop.gradient_check.requirements import is_array
from backprop.gradient_check.styles import OF_GRADIENTS, PARAMETERS, VALUES, gradient_names, plain
from backprop.gradient_check.values import is_objects, shape_of_numbers
from backprop.networks.own_passes import attributes_of

OF_CONTAINERS = set(map(plain, OF_GRADIENTS))
OF_VALUES = {"grad", "gradient"}


def gradients_of(layer: Any, place: Place, shape: tuple[int, ...]) -> list[Place]:
    """Return where the gradient of the array at a place lies: all places that have the nearest name."""
    for places, is_sure in _candidates(layer, place):
        if found := [each for each in places if _suits(at(layer, each), shape, is_sure)]:
            return found
    return []


def _candidates(layer: Any, place: Place) -> Iterator[tuple[list[Place], bool]]:
    """Yield places by their names, the nearest first, and whether these are sure or the shape must tell."""
    *before, (step, name) = place
    if name in VALUES:  # W.data and W.grad, or W["data"] and W["grad"]
        siblings = [(*before, (step, other)) for other in sorted(OF_VALUES)]
        yield [each for each in siblings if exists(layer, each)], True
    attributes = [i for i, (step, _) in enumerate(place) if step == "attribute"]
    if attributes:
        i = attributes.pop()
        yield from _named(layer, place[:i], place[i][1], place[i + 1 :])
    for i in reversed(attributes):  # at the same path elsewhere: params.W and grads.W
        holders = _beside(layer, place[:i], OF_CONTAINERS | gradient_names(place[i][1])[0])
        places = [(*each, *place[i + 1 :]) for each in holders]
        yield [each for each in places if exists(layer, each)], False


def _named(layer: Any, holder: Place, name: str, inside: Place) -> Iterator[tuple[list[Place], bool]]:
    """Yield those of an attribute, or of what lies inside it, by its own name and by synonyms."""
    key = str(inside[-1][1]) if inside else name
    is_counted, is_params = key.isdigit(), name in PARAMETERS
    for i, (of_key, of_name) in enumerate(zip(gradient_names(key), gradient_names(name), strict=True)):
        whole = OF_CONTAINERS if is_params and not inside else set()
        places = [] if is_counted else _beside(layer, holder, of_key | whole)
        for container in _beside(layer, holder, OF_CONTAINERS | (of_name if inside else set())):
            if not is_array(at(layer, container)) or is_objects(at(layer, container)):
                places += _in_container(layer, container, inside, key, of_key)
        yield places, i == 0 and (is_params or not is_counted)


def _beside(layer: Any, holder: Place, names: set[str]) -> list[Place]:
    """Return the places of attributes with these plain names of the object at a place."""
    attributes = attributes_of(at(layer, holder))
    return [(*holder, ("attribute", name)) for name in attributes if plain(name) in names]


def _in_container(layer: Any, container: Place, inside: Place, key: str, names: set[str]) -> list[Place]:
    """Return the places in a mapping or list of gradients that belong to a path, or to a name."""
    if inside and exists(layer, (*container, *inside)):
        return [(*container, *inside)]
    within = (*container, *inside[:-1])
    mapping = at(layer, within) if exists(layer, within) else None
    keys = [each for each in mapping if isinstance(each, str)] if isinstance(mapping, Mapping) else []
    return [(*within, ("item", each)) for each in keys if each == key or plain(each) in names]


def _suits(value: Any, shape: tuple[int, ...], is_sure: bool) -> bool:
    """Return whether a value may be the gradient of an array of that shape: None, an array, or numbers."""
    if value is None or owner_of(value) is not None:
        return is_sure or getattr(value, "shape", None) == shape
    return shape_of_numbers(value) == shape
