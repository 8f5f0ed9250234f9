"""The arrays, numbers and random generators that an object reaches, by place."""

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from sys import getrecursionlimit
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from backends import Backend, kind, owner_of
from backprop.arrays.arrays import Arrays
from backprop.gradient_check.places import Place, Reached
from backprop.gradient_check.requirements import is_array
from backprop.gradient_check.values import bit_generator_of, is_numbers, is_objects, is_subclass, values_of
from backprop.layers.stage import Link, Stage
from backprop.networks.own_passes import attributes_of

PLAIN = {str, bytes, complex, bool, type(None), FunctionType, BuiltinFunctionType}
PLAIN_OF_LIBRARY = PLAIN | {int, float}  # its numbers are not parameters
INTERNALS_OF_LIBRARY = ("_links", "_lock", "names")  # of networks: they only lead to layers and arrays again
CONTAINERS = (dict, list, tuple, set, OrderedDict)
NOT_ENTERED = (ModuleType, type, Backend, Link, Stage)


@dataclass
class Reach:
    """The arrays, numbers and random generators that an object reaches.

    arrays: float arrays by identity, the nearest first.  others: arrays of other numbers or of a subclass.
    numbers: numbers and lists of them.  generators: the places of NumPy's Generators and RandomStates.
    shared: class attributes by place.  has_foreign_objects: True if any object is not of this library,
    containers aside.
    """

    arrays: dict[int, Reached] = field(default_factory=dict)
    others: dict[int, Reached] = field(default_factory=dict)
    numbers: list[Reached] = field(default_factory=list)
    generators: list[Place] = field(default_factory=list)
    shared: dict[Place, Any] = field(default_factory=dict)
    has_foreign_objects: bool = False

    def record(self, place: Place, value: Any) -> bool:
        """Record an array, numbers or a generator; return whether the value is one of these."""
        if is_array(value) and kind(value) not in "OV":
            if kind(value) in "iufc":
                self._add(self.arrays if kind(value) == "f" else self.others, place, value)
        elif is_numbers(value):
            self.numbers.append(Reached(value, [place]))
        elif is_subclass(value):
            self._add(self.others, place, value)
        elif bit_generator_of(value) is not None:
            self.generators.append(place)
        else:
            return False
        return True

    def _add(self, arrays: dict[int, Reached], place: Place, value: Any) -> None:
        arrays.setdefault(id(value), Reached(value, [])).places.append(place)

    def named(self) -> list[Reached]:
        """Return everything that may be a parameter."""
        return [*self.arrays.values(), *self.others.values(), *self.numbers]


def reach(obj: Any) -> Reach:
    """Return what an object reaches, breadth first; arrays and numbers at every place, the rest once.

    Stop at Python's recursion limit, beyond which no object can be copied.
    """
    found = Reach()
    seen: dict[int, Any] = {}  # keeps temporary objects alive, so that no id is reused
    ahead: deque[tuple[Place, Any]] = deque([((), obj)])
    deepest = getrecursionlimit()
    while ahead:
        place, value = ahead.popleft()
        if type(value) is MethodType:
            place, value = (*place, ("attribute", "__self__")), value.__self__
        if id(value) in seen or isinstance(value, NOT_ENTERED) or found.record(place, value):
            continue
        if len(place) > deepest:
            break
        seen[id(value)] = value
        is_of_library = _is_of_library(type(value))
        found.has_foreign_objects |= not is_of_library and type(value) not in CONTAINERS
        passed = PLAIN_OF_LIBRARY if is_of_library else PLAIN
        own, of_class = _attributes(value)
        found.shared |= {(*place, ("attribute", name)): inner for name, inner in of_class.items()}
        within = [*_items(value), *((("attribute", n), inner) for n, inner in (of_class | own).items())]
        ahead.extend(((*place, step), inner) for step, inner in within if type(inner) not in passed)
    return found


def as_floats(each: Reached) -> Reached:
    """Return numbers as a float array at the same places."""
    return Reached(values_of(each.array).astype("float64"), each.places)


def _items(value: Any) -> Iterator[tuple[tuple[str, Any], Any]]:
    """Yield the items of a container, each with the step that leads there."""
    if isinstance(value, Mapping):
        yield from ((("item", key), inner) for key, inner in value.items())
    elif is_objects(value) and not value.shape:
        yield ("item", ()), value[()]
    elif isinstance(value, (list, tuple, deque)) or is_objects(value):
        yield from ((("item", i), inner) for i, inner in enumerate(value))
    elif isinstance(value, (set, frozenset)):
        yield from ((("member", i), inner) for i, inner in enumerate(value))
    elif is_array(value):  # an array of records
        yield from ((("item", name), value[name]) for name in value.dtype.names or ())


def _attributes(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an object's own attributes, and those of its class, which a copy would share with it."""
    if type(value) in CONTAINERS or type(value) is Arrays:
        return {}, {}
    own = attributes_of(value)
    if _is_of_library(type(value)):
        return {name: each for name, each in own.items() if name not in INTERNALS_OF_LIBRARY}, {}
    of_class = {name: inner for cls in reversed(type(value).__mro__) for name, inner in vars(cls).items()}
    return own, {n: each for n, each in of_class.items() if _is_held(each) and n[:2] != "__" and n not in own}


def _is_of_library(cls: type) -> bool:
    """Return whether a class belongs to this library."""
    return cls.__module__.partition(".")[0] in ("backprop", "backends")


def _is_held(value: Any) -> bool:
    """Return whether a class attribute may hold arrays or be a parameter."""
    return owner_of(value) is not None or type(value) in (dict, list, int, float)
