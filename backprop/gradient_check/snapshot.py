"""A snapshot of the float arrays of an object, to find changes and undo them."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from backends import backend_of, to_numpy
from backprop.gradient_check.places import Place, at, exists, put
from backprop.gradient_check.reach import reach
from backprop.gradient_check.requirements import is_array


class Snapshot:
    """The float arrays of an object with their values, to restore a layer that updates itself."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj
        self.arrays = {
            place: (each.array, backend_of(each.array).copy(each.array))
            for each in reach(obj).arrays.values()
            for place in each.places
        }

    def changed(self) -> list[Place]:
        """Return the places where the array or its values have changed."""
        return [place for place, (_, first) in self.arrays.items() if not _same(self._now(place), first)]

    def steps(self) -> dict[Place, Any]:
        """Return the steps that were subtracted from the values, by place, if they have changed.

        Broadcasting may have changed an array's shape.
        """
        found = {}
        for place in self.changed():
            with suppress(TypeError, ValueError):  # the value there now may not be an array
                found[place] = self.arrays[place][1] - self._now(place)
        return found

    def restore(self, places: Iterable[Place] | None = None) -> None:
        """Restore the arrays and their values at these places, or everywhere."""
        for place in self.arrays if places is None else places:
            array, first = self.arrays[place]
            if self._now(place) is not array:
                put(self.obj, place, array)
            if not _same(array, first):
                array[...] = first

    def _now(self, place: Place) -> Any:
        return at(self.obj, place) if exists(self.obj, place) else None


def _same(value: Any, first: Any) -> bool:
    alike = is_array(value) and value.shape == first.shape and value.dtype == first.dtype
    return alike and bool((to_numpy(value) == to_numpy(first)).all())
