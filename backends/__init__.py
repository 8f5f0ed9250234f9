"""The array libraries that `backprop` computes with; what users need of it, `backprop` re-exports."""

from backends.array import Array
from backends.backend import Backend
from backends.dtypes import dtype_name, kind, mix
from backends.errors import BackendUnavailable
from backends.precision import PRECISIONS, current_precision, precision
from backends.registry import (
    available_backends,
    backend_of,
    describe,
    known_backends,
    load,
    one_backend,
    owner_of,
    register,
    why_unavailable,
)
from backends.selection import Choice, asarray, choose, get_backend, set_backend, to_numpy, use_backend, xp
from backends.twins import TWINS, find, twin
from backends.workspace import NewArrays, Workspace

__all__ = ["Array", "Backend", "BackendUnavailable", "dtype_name", "kind", "mix"]
__all__ += ["PRECISIONS", "current_precision", "precision"]
__all__ += ["Choice", "asarray", "choose", "get_backend", "set_backend", "to_numpy", "use_backend", "xp"]
__all__ += ["available_backends", "known_backends", "load", "register", "why_unavailable"]
__all__ += ["backend_of", "describe", "one_backend", "owner_of"]
__all__ += ["TWINS", "NewArrays", "Workspace", "find", "twin"]
