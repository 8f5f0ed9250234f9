"""The known backends, and the one that an array belongs to.

Why a look-up by exact array type: it takes a tenth of a microsecond, so every kernel call can afford it,
and "computation follows the arrays" needs no global state. Subclasses of an array type (matrix, masked
array) follow other rules and are refused.
"""

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

from backends.errors import BackendUnavailable
from backends.messages import describe, shown

if TYPE_CHECKING:
    from backends.backend import Backend

_CLASSES = {"numpy": "backends.numpy:NumpyBackend", "cupy": "backends.cupy:CupyBackend"}
_loaded: dict[str, "Backend"] = {}
_by_type: dict[type, "Backend"] = {}
_unavailable: dict[str, BackendUnavailable] = {}  # failed to load; `auto` does not try again
_loading = RLock()  # two threads may load the same backend


def register(backend: "Backend") -> "Backend":
    """Make a backend known by its name and array types, replacing one of the same name. Returns it.

    Parameters
    ----------
    backend : Backend
    """
    _loaded[backend.name] = backend
    _unavailable.pop(backend.name, None)
    for array_type in (backend.array_type, *backend.scalar_types):
        _by_type[array_type] = backend
    return backend


def is_registered(backend: "Backend") -> bool:
    """Return whether this very object is the backend known by its name."""
    return _loaded.get(backend.name) is backend


def load(name: str) -> "Backend":
    """Return the backend of that name.

    Parameters
    ----------
    name : str

    Raises
    ------
    ValueError
        If the name is unknown.
    BackendUnavailable
        If it cannot be used here.
    """
    known_as = name if isinstance(name, str) else ""
    backend = _loaded.get(known_as)
    if backend is None:
        if known_as not in _CLASSES:
            import difflib  # here, since it is slow to import

            known = sorted((*known_backends(), "auto"))
            near = difflib.get_close_matches(known_as, known, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise ValueError(f"backend must be one of {', '.join(known)}, got {shown(name)}{hint}")
        module, _, class_name = _CLASSES[name].partition(":")
        with _loading:
            backend = _loaded.get(name) or register(getattr(import_module(module), class_name)())
    return backend


def known_backends() -> tuple[str, ...]:
    """Return the names of all backends, usable here or not."""
    return tuple(dict.fromkeys((*_CLASSES, *_loaded)))


def why_unavailable(name: str) -> BackendUnavailable | None:
    """Return None if that backend can be used, else the error that says why not and what to do.

    Parameters
    ----------
    name : str
    """
    if name not in _loaded and name not in _unavailable:
        try:
            load(name)
        except BackendUnavailable as error:
            _unavailable[name] = error
    return None if name in _loaded else _unavailable.get(name)


def available_backends() -> tuple[str, ...]:
    """Return the names of the backends that can be used on this machine.

    Examples
    --------
    >>> from backprop import available_backends
    >>> "numpy" in available_backends()
    True
    """
    return tuple(name for name in known_backends() if why_unavailable(name) is None)


def backend_of(array: Any) -> "Backend":
    """Return the backend that an array belongs to.

    Parameters
    ----------
    array : array

    Raises
    ------
    TypeError
        If it is not an array of a known library.
    """
    return _by_type.get(type(array)) or one_backend("backend_of", array=array)


def owner_of(data: Any) -> "Backend | None":
    """Return the backend that an array belongs to; None for lists, numbers and other libraries' arrays.

    Parameters
    ----------
    data : object
    """
    owner = _by_type.get(type(data))
    if owner is None:
        library = type(data).__module__.partition(".")[0]
        if library in _CLASSES and library not in _loaded:
            load(library)
            owner = _by_type.get(type(data))
    return owner


def one_backend(where: str, /, **arrays: Any) -> "Backend":
    """Return the one backend of all these arrays.

    Parameters
    ----------
    where : str
        Name of the caller, for errors.
    **arrays : array
        Arrays by name.

    Raises
    ------
    TypeError
        If libraries are mixed, or a value is not an array. The message names them.
    """
    owner, *others = {owner_of(array) for array in arrays.values()}
    if owner is None or others:
        raise TypeError(f"{where}: {_mixture(arrays)}")
    return owner


def _mixture(arrays: dict[str, Any]) -> str:
    """Return the error text for arrays that are not all of one library."""
    owners: list[tuple[str, Backend]] = []
    for name, array in arrays.items():
        owner = owner_of(array)
        if owner is None:
            rule = f"{name} must be an array of a known library, got {describe(array)}"
            return rule if array is None else f"{rule}; convert it with backprop.asarray(...)"
        owners.append((name, owner))
    (first, owner), *others = owners
    other = next(name for name, another in others if another is not owner)
    both = f"{first} is {describe(arrays[first])} and {other} is {describe(arrays[other])}"
    cure = f"backprop.asarray(array, backend={owner.name!r})"
    return f"arrays must come from one library, but {both}; move one: {cure}"
