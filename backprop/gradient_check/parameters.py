"""The parameters of a layer: the arrays that have a gradient under one of the usual names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backends import to_numpy
from backprop.gradient_check.dependence import same
from backprop.gradient_check.gradients import CONTAINER_NAMES, gradients_of
from backprop.gradient_check.places import Place, Reached, at, exists, name_of
from backprop.gradient_check.report import Verdict
from backprop.gradient_check.styles import PARAMETERS, plain
from backprop.gradient_check.values import is_numbers, shape_of
from backprop.networks.own_passes import attributes_of


@dataclass
class Parameter:
    """An array to compare.  gradients: the places where backward may leave its gradient."""

    name: str
    place: Place
    gradients: list[Place]

    def gradient(self, layer: Any) -> Any:
        """Return the gradient that backward left, or a verdict if it left two different ones."""
        found = {name_of(place): at(layer, place) for place in self.gradients if exists(layer, place)}
        found = {name: _as_array(value) for name, value in found.items() if value is not None}
        if not self.gradients and not CONTAINER_NAMES.intersection(map(plain, attributes_of(layer))):
            return Verdict("not compared", "no gradient for it was found; name it with an Adapter")
        first, *others = found.values() or [None]
        if all(value is first or same(to_numpy(first), to_numpy(value)) for value in others):
            return first
        why = f"{' and '.join(found)} differ: which is its gradient? Name it with an Adapter"
        return Verdict("not compared", why)


def parameters_among(layer: Any, arrays: Iterable[Reached]) -> list[Parameter]:
    """Return the parameters among the arrays that a layer reaches after its backward."""
    found: dict[str, Parameter] = {}
    for each in arrays:
        if any(step == "member" for step, _ in each.places[0]):  # another copy has another order
            continue
        gradients = all_gradients(layer, each)
        is_declared = any(("attribute", name) in place for place in each.places for name in PARAMETERS)
        if gradients or is_declared:
            name = each.name if each.name not in found else name_of(each.places[-1])
            found[name] = Parameter(name, each.places[0], gradients)
    are_gradients = {place for each in found.values() for place in each.gradients}
    return [each for each in found.values() if each.place not in are_gradients]


def sharing_a_gradient(layer: Any, parameters: Iterable[Parameter]) -> list[list[Place]]:
    """Return groups of places whose parameters share one gradient, as W and its momentum seem to."""
    owners: dict[int, list[Place]] = {}
    for each in parameters:
        for gradient in {id(at(layer, place)): at(layer, place) for place in each.gradients}.values():
            if gradient is not None:
                owners.setdefault(id(gradient), []).append(each.place)
    return [places for places in owners.values() if len(places) > 1]


def with_gradient(layer: Any, numbers: Iterable[Reached]) -> list[Reached]:
    """Return the numbers that have a gradient beside them."""
    return [each for each in numbers if gradients_of(layer, each.places[0], shape_of(each.array))]


def all_gradients(layer: Any, each: Reached) -> list[Place]:
    """Return the places of an array's gradients under any of the array's names."""
    places = [found for own in each.places for found in gradients_of(layer, own, each.array.shape)]
    return [*dict.fromkeys(places)]


def _as_array(value: Any) -> Any:
    return to_numpy(value).astype("float64") if is_numbers(value) else value
