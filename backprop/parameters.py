"""All parameters of a network in one flat buffer, and a layer's window onto its own.

Why one owner: an update is one kernel, an all-reduce one call and a checkpoint one array; and a copy in
another dtype or on another backend is made in one place. A layer that held arrays of its own would go on
computing with the old ones.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from backends import Array, asarray, backend_of, kind, owner_of, to_numpy


class Parameters(MutableMapping[str, Array]):
    """Arrays by name, in a fixed order, each a view into `flat`.

    An assignment copies into place: `params["W1"] -= 0.1 * gradient` and `params["W1"] = array` both change
    the network that these are the parameters of. Entries cannot be added or deleted.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], flat: Array) -> None:
        self.shapes = dict(shapes)
        self._rebind(flat)

    @classmethod
    def gather(cls, arrays: Mapping[str, Array]) -> "Parameters":
        """Parameters that start with copies of these arrays (of one backend and dtype)."""
        (first, one), *others = arrays.items()
        for name, other in others:
            if other.dtype != one.dtype:
                raise TypeError(
                    f"parameters must have one dtype, but {first} is {one.dtype}, {name} {other.dtype}"
                )
        backend = backend_of(*arrays.values())
        flat = backend.concat([backend.reshape(array, (-1,)) for array in arrays.values()])
        return cls({name: array.shape for name, array in arrays.items()}, flat)

    def _rebind(self, flat: Array) -> None:
        self.flat = flat
        self._views = backend_of(flat).views(flat, self.shapes)

    def aliases(self, flat: Array) -> dict[int, Array]:
        """By identity, what in another buffer corresponds to this one's buffer and to each of its views."""
        views = backend_of(flat).views(flat, self.shapes)
        return {id(self.flat): flat, **{id(view): views[name] for name, view in self._views.items()}}

    def __getitem__(self, name: str) -> Array:
        return self._view(name)

    def _view(self, name: str) -> Array:
        try:
            return self._views[name]
        except KeyError:
            raise KeyError(f"no array {name!r} here; there are {', '.join(self._views)}") from None

    def __setitem__(self, name: str, value: Any) -> None:
        view = self._view(name)
        if value is view:  # the end of `params[name] -= …`, which wrote in place already
            return
        value = to_numpy(value) if owner_of(value) is None else value
        if value.shape != view.shape:
            raise ValueError(f"{name} must have shape {view.shape}, got {value.shape}")
        if kind(value) not in ("biufc" if kind(view) == "c" else "biuf"):
            raise TypeError(f"{name} holds {view.dtype}, which cannot take {value.dtype}")
        view[...] = asarray(value, view.dtype, backend_of(view))

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name} cannot be deleted: a network's set of parameters is fixed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def __repr__(self) -> str:
        entries = ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())
        return f"<{type(self).__name__} {entries}; {self.flat.dtype}>"

    # Copies and pickles keep the sharing: they carry `flat` alone and make the views anew.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_views"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._rebind(self.flat)


class Window(MutableMapping[str, Array]):
    """A layer's own names for some of an owner's entries: {"W": "W1", "b": "b1"}."""

    __slots__ = ("owner", "names")

    def __init__(self, owner: Parameters, names: Mapping[str, str]) -> None:
        self.owner = owner
        self.names = dict(names)

    def __getitem__(self, name: str) -> Array:
        return self.owner[self.names[name]]

    def __setitem__(self, name: str, value: Any) -> None:
        self.owner[self.names[name]] = value

    def __delitem__(self, name: str) -> None:
        del self.owner[self.names[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<Window {self.names} of {self.owner!r}>"
