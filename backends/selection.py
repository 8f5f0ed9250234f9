"""Which backend new arrays and networks are made on, and why.

Creation follows the active backend; computation follows the arrays. In this order: an explicit `backend=`
argument, the innermost `with use_backend(name):`, `set_backend(name)`, the environment variable
BACKPROP_BACKEND, NumPy.

Why a context variable for the `with` block and a plain one for `set_backend`: a block must not leak into
other threads, while a call at the top of a script must reach all of them. A thread that is started inside a
block starts outside it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from backends.array import Array
from backends.backend import Backend
from backends.registry import is_registered, load, owner_of, why_unavailable

VARIABLE = "BACKPROP_BACKEND"


class Choice(NamedTuple):
    """A backend and the reason why it is the one."""

    backend: Backend
    why: str


_in_block: ContextVar[Choice | None] = ContextVar("backprop_backend", default=None)
_set: Choice | None = None
_said: set[str] = set()  # of what `auto` took, each once


def choose(backend: str | Backend | None = None) -> Choice:
    """The backend in force here and why; `backend`, a name or a Backend, goes before everything else.

    Raises ValueError for an unknown name and BackendUnavailable where the one asked for cannot be used.
    """
    if backend is not None:
        return _resolve(backend, "the backend= argument")
    choice = _in_block.get() or _set
    if choice is not None:
        return choice
    name = os.environ.get(VARIABLE)
    if not name:
        return Choice(load("numpy"), "the default")
    return _resolve(name, f"the environment variable {VARIABLE}={name}")


def get_backend(backend: str | Backend | None = None) -> Backend:
    """The backend in force: what new arrays and networks are made on.

    >>> get_backend("numpy")
    <backend numpy>
    """
    return choose(backend).backend


def set_backend(backend: str | Backend | None) -> None:
    """Make new arrays and networks on this backend, in all threads; None undoes it.

    backend: "numpy", "cupy", "auto" or a Backend.  What exists already stays where it is.
    Raises ValueError for an unknown name and BackendUnavailable where it cannot be used.
    """
    global _set
    _set = None if backend is None else _resolve(backend, f"set_backend({_shown(backend)})")


@contextmanager
def use_backend(backend: str | Backend) -> Iterator[Backend]:
    """Make new arrays and networks on this backend inside a `with` block, in this thread.

    What exists already stays where it is.  Also a decorator.  Raises as `set_backend` does.

    >>> with use_backend("numpy") as backend:
    ...     backend.name
    'numpy'
    """
    choice = _resolve(backend, f"use_backend({_shown(backend)})")
    token = _in_block.set(choice)
    try:
        yield choice.backend
    finally:
        _in_block.reset(token)


def asarray(data: Any, dtype: Any = None, backend: str | Backend | None = None) -> Array:
    """Data as an array of the backend in force, or of the one named.

    data: numbers, nested lists, a NumPy array or an array of any backend: this is the way to move one; also
    another library's array on the device, which is taken through DLPack.
    dtype: a name or dtype; the data's own where None.  No copy is made where none is needed.

    >>> asarray([1.0, 2.0], dtype="float32", backend="numpy")
    array([1., 2.], dtype=float32)
    """
    target = get_backend(backend)
    if type(data) is not target.array_type:
        adopted = target.adopt(data) if owner_of(data) is None else None
        data = to_numpy(data) if adopted is None else adopted
    return target.asarray(data, dtype)


def to_numpy(data: Any) -> np.ndarray:
    """The values of any backend's array, or of host data, as a NumPy array; waits for the device.

    >>> to_numpy([1, 2, 3])
    array([1, 2, 3])
    """
    if type(data).__module__.startswith("numpy.ma"):
        raise TypeError("a masked array would lose its mask; fill it first: array.filled(value)")
    owner = owner_of(data)
    return np.asarray(data) if owner is None else owner.to_numpy(data)


def _resolve(backend: str | Backend, why: str) -> Choice:
    if isinstance(backend, Backend):
        if not is_registered(backend):
            raise ValueError(f"{why}: {backend!r} is not registered: backends.register(backend) first")
        return Choice(backend, why)
    if isinstance(backend, str) and backend == "auto":
        return _auto(why)
    try:
        return Choice(load(backend), why)
    except ValueError as error:
        raise ValueError(f"{why}: {error}") from None


def _auto(why: str) -> Choice:
    """The GPU where there is one, else the CPU: the only choice that may fall back, and it says so."""
    error = why_unavailable("cupy")
    if error is None:
        return Choice(load("cupy"), f"{why}: auto takes the GPU")
    choice = Choice(load("numpy"), f"{why}: auto takes numpy, since {error.reason}")
    if choice.why not in _said:
        import logging  # 5 ms that `import backprop` need not pay

        _said.add(choice.why)
        logging.getLogger("backprop").warning(choice.why)
    return choice


def _shown(backend: str | Backend) -> str:
    return repr(getattr(backend, "name", backend))


class LiveNamespace:
    """The array namespace of whichever backend is in force at each use: `xp.zeros(3)`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(get_backend().xp, name)

    def __dir__(self) -> list[str]:
        return dir(get_backend().xp)

    def __repr__(self) -> str:
        return f"<xp: the array namespace of {get_backend()!r}>"


xp = LiveNamespace()
