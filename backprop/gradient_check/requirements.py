"""What a gradient check requires of what the user passes in: methods to call, and real, finite arrays."""

from collections.abc import Mapping
from typing import Any

from backends import Array, Backend, asarray, backend_of, describe, kind, owner_of, to_numpy
from backprop.checks import entering
from backprop.gradient_check.host_arrays import first_not_finite

WHERE = "check_gradients"


def is_network(obj: Any) -> bool:
    """Whether obj is checked by its `loss` and `gradient`, rather than by forward and backward."""
    return hasattr(obj, "gradient") and hasattr(obj, "loss")


def require_object(obj: Any, inputs: tuple[Any, ...]) -> None:
    """Raise TypeError, ValueError unless obj is a layer or network with an input, and its params are real."""
    name = type(obj).__name__
    if isinstance(obj, type):
        raise TypeError(f"{WHERE}: give an object, not its class: {obj.__name__}(...)")
    missing = [method for method in ("forward", "backward") if not callable(getattr(obj, method, None))]
    if missing and not is_network(obj):
        raise TypeError(
            f"{WHERE}: {name} has no {' and no '.join(missing)}: a layer needs forward(x) and "
            f"backward(dout), a network loss(x, t) and gradient(x, t)"
        )
    if not inputs:
        raise TypeError(f"{WHERE}: give {name}'s inputs, the first of which is differentiated")
    params = getattr(obj, "params", {})
    if not isinstance(params, Mapping):
        raise TypeError(f"{WHERE}: {name}.params must be a mapping of arrays by name, got {describe(params)}")
    for param_name, param in params.items():
        require_real(f"params[{param_name!r}]", param)


def real_array(data: Any, what: str, backend: Backend | None) -> Array:
    """Data as a float64 array of the backend, a new one; its own backend where None."""
    if backend is not None:
        data = entering(WHERE, what, data, backend)
    data = asarray(data, backend=backend or owner_of(data))
    if kind(data) not in "iuf":
        raise TypeError(f"{WHERE}: {what} must hold real numbers, got {data.dtype}")
    data = backend_of(data).astype(data, "float64")
    require_real(what, data)
    return data


def require_real(what: str, array: Any) -> None:
    """Raise unless array holds at least one real, finite floating-point number, and nothing else."""
    if not is_array(array):
        raise TypeError(f"{WHERE}: {what} must be an array, got {describe(array)}")
    if kind(array) != "f":
        raise TypeError(f"{WHERE}: {what} must hold real floating-point numbers, got {array.dtype}; cast it")
    if 0 in array.shape:
        raise ValueError(f"{WHERE}: {what} must hold at least one number, got shape {array.shape}")
    at = first_not_finite(to_numpy(array))
    if at is not None:
        raise ValueError(f"{WHERE}: {what} must be finite, got {float(array[tuple(at)])} at {at}")


def require_differentiable(name: str, out: Any) -> None:
    """Raise unless out, a host array that an object of that name has returned, is real and finite."""
    if out.dtype.kind != "f":
        raise TypeError(f"{WHERE}: {name} must return real floating-point numbers, got {out.dtype}")
    at = first_not_finite(out)
    if at is not None:
        raise ValueError(
            f"{WHERE}: {name} returns {float(out[tuple(at)])} at {at} for this input, where no derivative "
            "can be taken"
        )


def is_array(data: Any) -> bool:
    """Whether data is an array of a library, and not a number, for which it may have types too."""
    owner = owner_of(data)
    return owner is not None and type(data) is owner.array_type


def is_real(data: Any) -> bool:
    """Whether data is of floating-point numbers, which alone can be differentiated by."""
    if isinstance(data, (int, float)):
        return not isinstance(data, bool)
    return hasattr(data, "dtype") and kind(data) == "f"
