"""The array libraries that `backprop` computes with; what users need of it, `backprop` re-exports."""

from backends.backend import Backend
from backends.dtypes import dtype_name, kind, mix
from backends.errors import BackendUnavailable
from backends.kernels import Array
from backends.precision import PRECISIONS, current_precision, precision
from backends.registry import (
    available_backends,
    backend_of,
    describe,
    known_backends,
    load,
    owner_of,
    register,
    why_unavailable,
)
from backends.selection import (
    Choice,
    asarray,
    choose,
    get_backend,
    set_backend,
    to_numpy,
    use_backend,
    xp,
)

__all__ = [
    "PRECISIONS",
    "Array",
    "Backend",
    "BackendUnavailable",
    "Choice",
    "asarray",
    "available_backends",
    "backend_of",
    "choose",
    "current_precision",
    "describe",
    "dtype_name",
    "get_backend",
    "kind",
    "known_backends",
    "load",
    "mix",
    "owner_of",
    "precision",
    "register",
    "set_backend",
    "to_numpy",
    "use_backend",
    "why_unavailable",
    "xp",
]
