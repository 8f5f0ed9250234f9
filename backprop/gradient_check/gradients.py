"""The place of an array's gradient in a layer, found by the usual names."""

from collections.abc import Iterator, Mapping
from typing import Any

from backends import owner_of
from backprop.gradient_check.places import Place, at, exists
from backprop.gradient_check.requirements import is_array
from backprop.gradient_check.styles import GRADIENT_CONTAINERS, PARAMETERS, VALUES, gradient_names, plain
from backprop.gradient_check.values import is_objects, shape_of_numbers
from backprop.networks.own_passes import attributes_of

CONTAINER_NAMES = set(map(plain, GRADIENT_CONTAINERS))
BESIDE_VALUES = {"grad", "gradient"}


def gradients_of(layer: Any, place: Place, shape: tuple[int, ...]) -> list[Place]:
    """Return the places where the gradient of an array may lie: all with the name nearest to its own."""
    for places, is_sure in _candidates(layer, place):
        if found := [each for each in places if _suits(at(layer, each), shape, is_sure)]:
            return found
    return []


def _candidates(layer: Any, place: Place) -> Iterator[tuple[list[Place], bool]]:
    """Yield places, those with the nearest name first; False beside places where the shape must decide."""
    *before, (step, name) = place
    if name in VALUES:  # W.data and W.grad, or W["data"] and W["grad"]
        siblings = [(*before, (step, other)) for other in sorted(BESIDE_VALUES)]
        yield [each for each in siblings if exists(layer, each)], True
    attributes = [i for i, (step, _) in enumerate(place) if step == "attribute"]
    if attributes:
        i = attributes.pop()
        yield from _named(layer, place[:i], place[i][1], place[i + 1 :])
    for i in reversed(attributes):  # the same path in a parallel object: params.W and grads.W
        holders = _beside(layer, place[:i], CONTAINER_NAMES | gradient_names(place[i][1])[0])
        places = [(*each, *place[i + 1 :]) for each in holders]
        yield [each for each in places if exists(layer, each)], False


def _named(layer: Any, holder: Place, name: str, inside: Place) -> Iterator[tuple[list[Place], bool]]:
    """Yield places for an attribute, or for an array inside it, by its own name, then by synonyms."""
    key = str(inside[-1][1]) if inside else name
    is_counted, is_params = key.isdigit(), name in PARAMETERS
    for i, (of_key, of_name) in enumerate(zip(gradient_names(key), gradient_names(name), strict=True)):
        whole = CONTAINER_NAMES if is_params and not inside else set()
        places = [] if is_counted else _beside(layer, holder, of_key | whole)
        for container in _beside(layer, holder, CONTAINER_NAMES | (of_name if inside else set())):
            if not is_array(at(layer, container)) or is_objects(at(layer, container)):
                places += _in_container(layer, container, inside, key, of_key)
        yield places, i == 0 and (is_params or not is_counted)


def _beside(layer: Any, holder: Place, names: set[str]) -> list[Place]:
    """Return the places of attributes with these plain names, in the object at a place."""
    attributes = attributes_of(at(layer, holder))
    return [(*holder, ("attribute", name)) for name in attributes if plain(name) in names]


def _in_container(layer: Any, container: Place, inside: Place, key: str, names: set[str]) -> list[Place]:
    """Return the places in a container of gradients that correspond to a path, or to a name."""
    if inside and exists(layer, (*container, *inside)):
        return [(*container, *inside)]
    within = (*container, *inside[:-1])
    mapping = at(layer, within) if exists(layer, within) else None
    keys = [each for each in mapping if isinstance(each, str)] if isinstance(mapping, Mapping) else []
    return [(*within, ("item", each)) for each in keys if each == key or plain(each) in names]


def _suits(value: Any, shape: tuple[int, ...], is_sure: bool) -> bool:
    """Return whether a value, None, an array or numbers, may be the gradient of an array of that shape."""
    if value is None or owner_of(value) is not None:
        return is_sure or getattr(value, "shape", None) == shape
    return shape_of_numbers(value) == shape
