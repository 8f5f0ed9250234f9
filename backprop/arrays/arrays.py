"""Arrays by name in one flat buffer: a network's parameters and gradients, a layer's or an optimizer's state.

Why one buffer: an update is one operation, an all-reduce one call and a checkpoint one array. Copies in
another dtype or on another backend are made in one place.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from itertools import takewhile
from math import prod
from typing import Any

from backends import (
    Array,
    asarray,
    backend_of,
    cut,
    host_array,
    kind,
    listed,
    one_backend,
    owner_of,
    shown,
    to_numpy,
)
from backprop.arrays.entering import cast

TAKES = {"c": "biufc", "f": "biuf", "i": "biu", "u": "biu"}  # kinds that arrays of a kind can be assigned


class Arrays(MutableMapping[str, Array]):
    """Views into the buffer `flat`, by name and in a fixed order.

    Assigning copies into place: `params["W1"] -= 0.1 * gradient`, `params["W1"] = array` and `params.flat
    = vector` change the network that owns the parameters. Entries cannot be added or deleted.

    Parameters
    ----------
    shapes : dict of tuple
        Shapes by name.
    flat : array (P,)
        The buffer, as long as all entries together.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], flat: Array) -> None:
        self.shapes, self._flat = dict(shapes), flat
        self.views = backend_of(flat).views(flat, self.shapes)
        self._whole: tuple[Arrays, dict[str, str]] | None = (
            None  # if it is a part: the whole, and its names there
        )

    @classmethod
    def gather(cls, arrays: Mapping[str, Array], where: str = "Arrays") -> "Arrays":
        """Return copies of these arrays, of one backend and dtype, in a new buffer.

        where: name of the caller, for errors.
        """
        backend = one_backend(where, **arrays)
        (first, one), *others = arrays.items()
        for name, other in others:
            if other.dtype != one.dtype:
                rule = f"{first} and {name} must have one dtype, got {one.dtype} and {other.dtype}"
                raise TypeError(f"{where}: {rule}; cast one: asarray(array, dtype)")
        flat = backend.concat([backend.reshape(array, (-1,)) for array in arrays.values()])
        return cls({name: tuple(array.shape) for name, array in arrays.items()}, flat)

    def like(self, flat: Array) -> "Arrays":
        """Return `flat` as arrays with the same names and shapes."""
        return Arrays(self.shapes, flat)

    def part(self, names: Mapping[str, str]) -> "Arrays":
        """Return neighbouring entries under other names, in the same memory: {"W": "W1", "b": "b1"}."""
        before = takewhile(next(iter(names.values())).__ne__, self.shapes)
        start = sum(prod(self.shapes[name]) for name in before)
        part = Arrays.__new__(Arrays)
        part.shapes = {own: self.shapes[outer] for own, outer in names.items()}
        part.views = {own: self.views[outer] for own, outer in names.items()}
        part._flat = self.flat[start : start + sum(map(prod, part.shapes.values()))]
        part._whole = self, dict(names)
        return part

    @property
    def flat(self) -> Array:
        """The buffer. Assigning copies into it."""
        return self._flat

    @flat.setter
    def flat(self, value: Any) -> None:
        if value is not self._flat:  # it is, at the end of `params.flat -= …`
            self._flat[...] = _fitted("flat", value, self._flat)

    def copy(self) -> "Arrays":
        """Return a snapshot: the same values in a new buffer."""
        return self.like(backend_of(self.flat).copy(self.flat))

    def aliases(self, flat: Array) -> dict[int, Array]:
        """Return by id what replaces this buffer and each of its views, if `flat` replaces the buffer."""
        views = backend_of(flat).views(flat, self.shapes)
        return {id(self.flat): flat, **{id(view): views[name] for name, view in self.views.items()}}

    def __getitem__(self, name: str) -> Array:
        try:
            return self.views[name]
        except (KeyError, TypeError):
            there = listed(self.views)
            raise KeyError(f"Arrays: no array named {shown(name)}; the names are {there}") from None

    def __setitem__(self, name: str, value: Any) -> None:
        view = self[name]
        if value is not view:  # it is, at the end of `params[name] -= …`, which wrote in place
            view[...] = _fitted(name, value, view)

    def update(self, other: Any = (), /, **more: Any) -> None:
        """Assign several entries. If one is refused, none has changed."""
        try:
            values = {**dict(other), **more}
        except (TypeError, ValueError):
            raise TypeError(f"Arrays.update: other must map names to arrays, got {shown(other)}") from None
        copy = backend_of(self.flat).copy  # a value may be another of these arrays
        fitting = {name: copy(_fitted(name, value, self[name])) for name, value in values.items()}
        for name, value in fitting.items():
            self.views[name][...] = value

    def __eq__(self, other: object) -> bool:
        """Return whether other has the same names with the same values. Waits for the device."""
        if not isinstance(other, Mapping) or self.keys() != other.keys():
            return False
        both = ((to_numpy(array), to_numpy(other[name])) for name, array in self.items())
        return all(a.shape == b.shape and bool((a == b).all()) for a, b in both)

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"Arrays: {shown(name)} cannot be deleted: this set of arrays is fixed")

    def __iter__(self) -> Iterator[str]:
        return iter(self.views)

    def __len__(self) -> int:
        return len(self.views)

    def __repr__(self) -> str:
        entries = ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())
        return f"<Arrays {entries}; {self.flat.dtype}>"

    # Copies and pickles keep the sharing: they store the buffer once and recreate the views, those of a part
    # from its whole.
    def __reduce__(self) -> tuple[Any, ...]:
        return (Arrays.part, self._whole) if self._whole else (Arrays, (self.shapes, self.flat))


def _fitted(name: str, value: Any, view: Array) -> Array:
    """Return a value ready to be copied into view; raise if it does not fit."""
    where, backend = "Arrays", backend_of(view)
    if owner_of(value) is not backend:
        value = host_array(where, name, value)
    if value.shape != view.shape:
        raise ValueError(f"{where}: {name} must have shape {view.shape}, got {value.shape}")
    if kind(value) not in TAKES[kind(view)]:
        raise TypeError(f"{where}: {name} holds {view.dtype} and cannot take {cut(str(value.dtype))}")
    if kind(view) == "u" and kind(value) == "i" and (to_numpy(value) < 0).any():
        raise ValueError(f"{where}: {name} holds {view.dtype} and cannot take a negative number")
    return asarray(cast(where, name, value, view.dtype, backend), view.dtype, backend)
