"""Requirements on what is passed to a gradient check: methods to call, and real, finite arrays."""

from collections.abc import Mapping
from typing import Any

from backends import Array, Backend, asarray, backend_of, describe, kind, owner_of, to_numpy
from backprop.arrays.checks import entering, first_not_finite

WHERE = "check_gradients"


def is_network(obj: Any) -> bool:
    """Return whether obj is checked by its `loss` and `gradient` rather than by forward and backward."""
    return hasattr(obj, "gradient") and hasattr(obj, "loss")


def require_object(obj: Any, inputs: tuple[Any, ...]) -> None:
    """Raise TypeError or ValueError unless obj is a layer or network with an input and real params."""
    name = type(obj).__name__
    if isinstance(obj, type):
        raise TypeError(f"{WHERE}: give an object, not its class: {obj.__name__}(...)")
    missing = [method for method in ("forward", "backward") if not callable(getattr(obj, method, None))]
    if missing and not is_network(obj):
        rule = "a layer needs forward(x) and backward(dout), a network loss(x, t) and gradient(x, t)"
        raise TypeError(f"{WHERE}: {name} has no {' and no '.join(missing)}: {rule}")
    if not inputs:
        raise TypeError(f"{WHERE}: give {name}'s inputs, the first of which is differentiated")
    params = getattr(obj, "params", {})
    if not isinstance(params, Mapping):
        raise TypeError(f"{WHERE}: {name}.params must be a mapping of arrays by name, got {describe(params)}")
    for param_name, param in params.items():
        require_real(f"params[{param_name!r}]", param)


def real_array(data: Any, what: str, backend: Backend | None) -> Array:
    """Return data as a new float64 array of the backend, or of its own backend if None."""
    if backend is not None:
        data = entering(WHERE, what, data, backend)
    data = asarray(data, backend=backend or owner_of(data))
    if kind(data) not in "iuf":
        raise TypeError(f"{WHERE}: {what} must hold real numbers, got {data.dtype}")
    data = backend_of(data).astype(data, "float64")
    require_real(what, data)
    return data


def require_real(what: str, array: Any) -> None:
    """Raise unless array is a non-empty array of real, finite floating-point numbers."""
    if not is_array(array):
        raise TypeError(f"{WHERE}: {what} must be an array, got {describe(array)}")
    if kind(array) != "f":
        raise TypeError(f"{WHERE}: {what} must hold real floating-point numbers, got {array.dtype}; cast it")
    if 0 in array.shape:
        raise ValueError(f"{WHERE}: {what} must hold at least one number, got shape {array.shape}")
    if found := first_not_finite(to_numpy(array)):
        raise ValueError(f"{WHERE}: {what} must be finite, got {found}")


def require_differentiable(name: str, out: Any) -> None:
    """Raise unless out, a host array returned by the object of that name, is real and finite."""
    if out.dtype.kind != "f":
        raise TypeError(f"{WHERE}: {name} must return real floating-point numbers, got {out.dtype}")
    if found := first_not_finite(out):
        rule = "where no derivative can be taken"
        raise ValueError(f"{WHERE}: {name} returns {found} for this input, {rule}")


def is_array(data: Any) -> bool:
    """Return whether data is an array of a library, and not one of its scalar types."""
    owner = owner_of(data)
    return owner is not None and type(data) is owner.array_type


def is_real(data: Any) -> bool:
    """Return whether data consists of floating-point numbers, and so can be differentiated by."""
    if isinstance(data, (int, float)):
        return not isinstance(data, bool)
    return hasattr(data, "dtype") and kind(data) == "f"
