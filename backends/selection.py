"""The backend that new arrays and networks are made on.

Creation follows the active backend; computation follows the arrays. Precedence: the `backend=` argument, the
innermost `use_backend` block, `set_backend`, the environment variable BACKPROP_BACKEND, NumPy.

Why a context variable for blocks and a plain one for `set_backend`: a block must not affect other threads,
while a call at the top of a script must reach them all. A thread started inside a block runs outside it.
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
    """A backend, and the reason for choosing it.

    Parameters
    ----------
    backend : Backend
    why : str
    """

    backend: Backend
    why: str


_in_blocks: ContextVar[tuple[Choice, ...]] = ContextVar("backprop_backend", default=())
_set: Choice | None = None
_warned: set[str] = set()  # choices of `auto` that were already logged


def choose(backend: str | Backend | None = None, where: str = "") -> Choice:
    """Return the active backend, and why.

    Parameters
    ----------
    backend : str or Backend, optional
        Takes precedence over everything else.
    where : str
        Name of the caller, for errors.

    Raises
    ------
    ValueError
        If the name is unknown.
    BackendUnavailable
        If the backend cannot be used here.
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
    """Return the active backend, on which new arrays and networks are made.

    Parameters
    ----------
    backend : str or Backend, optional
        Return this one instead.

    Examples
    --------
    >>> from backprop import get_backend
    >>> get_backend("numpy")
    <backend numpy>
    """
    return choose(backend, "get_backend").backend


def set_backend(backend: str | Backend | None) -> None:
    """Make new arrays and networks on this backend, in all threads.

    Existing ones stay where they are.

    Parameters
    ----------
    backend : str, Backend or None
        "numpy", "cupy", "auto", a Backend, or None to undo an earlier call.

    Raises
    ------
    ValueError
        If the name is unknown.
    BackendUnavailable
        If the backend cannot be used here.
    """
    global _set
    _set = None if backend is None else _resolve(backend, f"set_backend({_shown(backend)})", "set_backend")


class use_backend(Block):
    """Make new arrays and networks on this backend inside a `with` block, in this thread.

    Existing ones stay where they are. Also a decorator. Calling it without `with` has no effect and warns.

    Parameters
    ----------
    backend : str or Backend
        "numpy", "cupy", "auto" or a Backend.

    Raises
    ------
    ValueError
        If the name is unknown.
    BackendUnavailable
        If the backend cannot be used here.

    Examples
    --------
    >>> from backprop import use_backend
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
            raise ValueError(f"{where}: {backend!r} is not registered; call backends.register(backend) first")
        return Choice(backend, why)
    if isinstance(backend, str) and backend == "auto":
        return _auto(why)
    try:
        return Choice(load(backend), why)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _auto(why: str) -> Choice:
    """Return the GPU if there is one, else the CPU. Only this choice may fall back, and it logs that."""
    error = why_unavailable("cupy")
    if error is None:
        return Choice(load("cupy"), f"{why}: auto takes the GPU")
    choice = Choice(load("numpy"), f"{why}: auto takes numpy, since {error.reason}")
    if choice.why not in _warned:
        import logging  # 5 ms that `import backprop` need not pay

        _warned.add(choice.why)
        logging.getLogger("backprop").warning(choice.why)
    return choice


def _shown(backend: str | Backend) -> str:
    return shown(getattr(backend, "name", backend))


class LiveNamespace:
    """The array namespace of the backend that is active at each use: `xp.zeros(3)`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(get_backend().xp, name)

    def __dir__(self) -> list[str]:
        return dir(get_backend().xp)

    def __repr__(self) -> str:
        return f"<xp: the array namespace of {get_backend()!r}>"


xp = LiveNamespace()
