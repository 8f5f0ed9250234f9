"""The array libraries that `backprop` computes with. Users find what they need in `backprop`."""

from backends.array import AnyArray, Array
from backends.backend import Backend
from backends.conversion import asarray, host_array, to_numpy
from backends.dtypes import dtype_name, kind, mix
from backends.errors import BackendUnavailable
from backends.messages import cut, describe, is_line, listed, shown
from backends.namespace import Namespace
from backends.precision import PRECISIONS, current_precision, precision
from backends.registry import (
    available_backends,
    backend_of,
    known_backends,
    load,
    one_backend,
    owner_of,
    register,
    why_unavailable,
)
from backends.selection import Choice, choose, get_backend, set_backend, use_backend, xp
from backends.twins import TWINS, find, twin
from backends.workspace import NewArrays, Workspace

__all__ = ["AnyArray", "Array", "Backend", "BackendUnavailable", "Namespace", "dtype_name", "kind", "mix"]
__all__ += ["PRECISIONS", "current_precision", "precision"]
__all__ += ["asarray", "host_array", "to_numpy"]
__all__ += ["Choice", "choose", "get_backend", "set_backend", "use_backend", "xp"]
__all__ += ["available_backends", "known_backends", "load", "register", "why_unavailable"]
__all__ += ["backend_of", "one_backend", "owner_of", "cut", "describe", "is_line", "listed", "shown"]
__all__ += ["TWINS", "NewArrays", "Workspace", "find", "twin"]
