"""Which backend new arrays and networks are made on, and why.

Creation follows the active backend; computation follows the arrays. In this order: an explicit `backend=`
argument, the innermost `with use_backend(name):`, `set_backend(name)`, the environment variable
BACKPROP_BACKEND, NumPy.

Why a context variable for the `with` block and a plain one for `set_backend`: a block must not leak into
other threads, while a call at the top of a script must reach all of them. A thread that is started inside a
block starts outside it.
"""

import os
from contextvars import ContextVar
from typing import Any, NamedTuple

from backends.backend import Backend
from backends.block import Block
from backends.messages import shown
from backends.registry import is_registered, load, why_unavailable

VARIABLE = "BACKPROP_BACKEND"


class Choice(NamedTuple):
    """A backend and the reason why it is the one."""

    backend: Backend
    why: str


_in_blocks: ContextVar[tuple[Choice, ...]] = ContextVar("backprop_backend", default=())
_set: Choice | None = None
_said: set[str] = set()  # of what `auto` took, each once


def choose(backend: str | Backend | None = None, where: str = "") -> Choice:
    """The backend in force here and why; `backend`, a name or a Backend, goes before everything else.

    where: names the caller in errors, where there is one.
    Raises ValueError for an unknown name and BackendUnavailable where the one asked for cannot be used.
    """
    if backend is not None:
        why = "the backend= argument"
        return _resolve(backend, why, where or why)
    if blocks := _in_blocks.get():
        return blocks[-1]
    if _set is not None:
        return _set
    name = os.environ.get(VARIABLE)
    if not name:
        return Choice(load("numpy"), "the default")
    why = f"the environment variable {VARIABLE}={name}"
    return _resolve(name, why, f"{where}: {why}" if where else why)


def get_backend(backend: str | Backend | None = None) -> Backend:
    """The backend in force: what new arrays and networks are made on.

    >>> get_backend("numpy")
    <backend numpy>
    """
    return choose(backend, "get_backend").backend


def set_backend(backend: str | Backend | None) -> None:
    """Make new arrays and networks on this backend, in all threads; None undoes it.

    backend: "numpy", "cupy", "auto" or a Backend.  What exists already stays where it is.
    Raises ValueError for an unknown name and BackendUnavailable where it cannot be used.
    """
    global _set
    _set = None if backend is None else _resolve(backend, f"set_backend({_shown(backend)})", "set_backend")


class use_backend(Block):
    """Make new arrays and networks on this backend inside a `with` block, in this thread.

    What exists already stays where it is.  Also a decorator.  A call by itself changes nothing, and warns
    of that; but it raises as `set_backend` does.

    >>> with use_backend("numpy") as backend:
    ...     backend.name
    'numpy'
    """

    def __init__(self, backend: str | Backend) -> None:
        how = f"use_backend({_shown(backend)})"
        super().__init__(_in_blocks, _resolve(backend, how, "use_backend"), how)

    def __enter__(self) -> Backend:
        super().__enter__()
        return self._value.backend  # type: ignore[no-any-return]


def _resolve(backend: str | Backend, why: str, where: str) -> Choice:
    if isinstance(backend, Backend):
        if not is_registered(backend):
            raise ValueError(f"{where}: {backend!r} is not registered: backends.register(backend) first")
        return Choice(backend, why)
    if isinstance(backend, str) and backend == "auto":
        return _auto(why)
    try:
        return Choice(load(backend), why)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


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
    return shown(getattr(backend, "name", backend))


class LiveNamespace:
    """The array namespace of whichever backend is in force at each use: `xp.zeros(3)`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(get_backend().xp, name)

    def __dir__(self) -> list[str]:
        return dir(get_backend().xp)

    def __repr__(self) -> str:
        return f"<xp: the array namespace of {get_backend()!r}>"


xp = LiveNamespace()
