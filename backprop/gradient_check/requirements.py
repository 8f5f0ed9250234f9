"""Requirements on the arguments of a gradient check: methods to call, and real, finite arrays."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from backends import (
    Array,
    Backend,
    asarray,
    backend_of,
    cut,
    describe,
    get_backend,
    kind,
    owner_of,
    shown,
    to_numpy,
)
from backprop.arrays.entering import entering, first_not_finite
from backprop.gradient_check.styles import network_methods

WHERE = "check_gradients"
NOT_LAYERS = ("builtins", "functools", "numpy")  # modules whose types are functions, numbers, lists


def is_network(obj: Any) -> bool:
    """Return whether obj is checked through `loss` and `gradient` rather than forward and backward."""
    return all(network_methods(obj))


def require_no_class(obj: Any) -> None:
    """Raise TypeError for a class in place of an object."""
    if isinstance(obj, type):
        raise TypeError(f"{WHERE}: obj must be an object, not its class: pass {obj.__name__}(...)")


def require_object(obj: Any, inputs: tuple[Any, ...]) -> None:
    """Raise TypeError or ValueError unless obj is an object with an input and, in `params`, real arrays."""
    name = getattr(obj, "__name__", type(obj).__name__)
    require_no_class(obj)
    if owner_of(obj) is not None or type(obj).__module__ in NOT_LAYERS:
        of_function = "is a function: use check_function(forward, backward, x)"
        rule = of_function if callable(obj) else "has no forward and no backward"
        raise TypeError(f"{WHERE}: {name} {rule}")
    if not inputs:
        raise TypeError(f"{WHERE}: pass the inputs of {name} as well: check_gradients(obj, x, ...)")
    params = getattr(obj, "params", {})
    if is_network(obj) and not isinstance(params, (Mapping, list, tuple)):
        rule = f"{name}.params must be a mapping of arrays by name, or a list of them"
        raise TypeError(f"{WHERE}: {rule}, got {describe(params)}")
    if isinstance(params, Mapping):
        _require_real_params(name, params)


def names_of(constants: Any) -> tuple[str, ...]:
    """Return the names of constants. Raise TypeError unless they are a sequence of names."""
    if constants is None:
        return ()
    found = (constants,) if isinstance(constants, str) else constants
    is_sequence = isinstance(found, (tuple, list, set, frozenset))
    if not is_sequence or not all(isinstance(name, str) for name in found):
        raise TypeError(f"{WHERE}: constants must be a sequence of names, got {shown(constants)}")
    return tuple(found)


def _require_real_params(owner: str, params: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError unless all params are real arrays, or None until the first forward."""
    for name, param in params.items():
        if param is None or isinstance(param, Mapping):  # None: forward creates it
            continue
        if not is_array(param):
            rule = f"{owner}.params[{name!r}] must be an array, got {describe(param)}"
            cure = "pass Adapter(layer, params=lambda layer: {...}, grads=lambda layer: {...}) instead"
            raise TypeError(f"{WHERE}: {rule}; {cure}, both returning arrays by name")
        require_real(f"params[{name!r}]", param)


@contextmanager
def advice_on_error(called: str, *arguments: Any) -> Iterator[None]:
    """Add a note to an error from a user's method: the call that failed, and what to do about it."""
    try:
        yield
    except Exception as error:
        if not str(error).startswith(WHERE):
            cure = "pass all inputs it needs, or pass Adapter(layer, forward=..., backward=...) instead"
            given = ", ".join(map(_described, arguments))
            error.add_note(f"{WHERE}: {called}({given}) failed on a copy in float64; {cure}")
        raise


def _described(argument: Any) -> str:
    """Return an argument in words: a name unchanged, an array by its type and shape."""
    shape = getattr(argument, "shape", None)
    return argument if isinstance(argument, str) else describe(argument) + f" of shape {shape}" * bool(shape)


def real_array(data: Any, what: str, backend: Backend | None) -> Array:
    """Return data as a new float64 array of the backend, or of its own backend if None."""
    backend = backend or owner_of(data) or get_backend()
    data = asarray(entering(WHERE, what, data, backend), backend=backend)
    if kind(data) not in "iuf":
        raise TypeError(f"{WHERE}: {what} must hold real numbers, got {data.dtype}")
    numbers = backend.astype(data, "float64")
    require_real(what, numbers)
    return numbers


def real_inputs(inputs: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """Return the inputs, those at the `wanted` positions as arrays of floats."""
    backend = backend_of(inputs[0])
    return [real_array(x, f"input {i + 1}", backend) if i in wanted else x for i, x in enumerate(inputs)]


def require_real(what: str, array: Any) -> None:
    """Raise TypeError or ValueError unless array holds real, finite floats, at least one."""
    if not is_array(array):
        raise TypeError(f"{WHERE}: {what} must be an array, got {describe(array)}")
    if kind(array) != "f":
        raise TypeError(f"{WHERE}: {what} must hold real floating-point numbers, got {array.dtype}; cast it")
    if 0 in array.shape:
        raise ValueError(f"{WHERE}: {what} must not be empty, got shape {array.shape}")
    if found := first_not_finite(to_numpy(array)):
        raise ValueError(f"{WHERE}: {what} must be finite, got {found}")


def require_numbers(name: str, out: Any) -> None:
    """Raise TypeError if the function of that name returned an array of texts, records or dates."""
    if owner_of(out) is not None and not is_numeric(out):
        raise TypeError(f"{WHERE}: {name} must return numbers, got an array of {cut(str(out.dtype))}")


def require_differentiable(name: str, out: Any) -> None:
    """Raise TypeError or ValueError unless out, a host array that `name` returned, is real and finite."""
    if out.dtype.kind != "f":
        raise TypeError(f"{WHERE}: {name} must return real floating-point numbers, got {out.dtype}")
    if found := first_not_finite(out):
        raise ValueError(f"{WHERE}: {name} returns {found} for this input, where there is no derivative")


def is_array(data: Any) -> bool:
    """Return whether data is an array of a library, and not one of its scalar types."""
    owner = owner_of(data)
    return owner is not None and isinstance(data, owner.array_type)


def is_numeric(data: Any) -> bool:
    """Return whether data belongs to an array library and holds numbers, or objects that may be numbers."""
    return owner_of(data) is not None and kind(data) in "biufcO"


def is_real(data: Any) -> bool:
    """Return whether data is floating-point, so that a derivative with respect to it makes sense."""
    if isinstance(data, (int, float)):
        return not isinstance(data, bool)
    return hasattr(data, "dtype") and kind(data) == "f"


def is_value(out: Any) -> bool:
    """Return whether out is something that forward may return: an array or a number."""
    return isinstance(out, (int, float, complex)) or owner_of(out) is not None
