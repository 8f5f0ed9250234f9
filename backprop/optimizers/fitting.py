"""Checks of an optimizer's arguments: parameters, gradients, learning rate."""

from collections.abc import Mapping
from typing import Any

from backends import Array, asarray, backend_of, dtype_name, kind, one_backend, shown
from backprop.arrays.arrays import Arrays
from backprop.arrays.checks import positive_number
from backprop.arrays.dtypes import ACCEPTED, NORMAL


def rate_in(dtype: Any, where: str, rate: Any) -> float:
    """Return a learning rate as a float; raise TypeError or ValueError unless it is a normal number."""
    number: float = positive_number(where, "learning_rate", rate)
    number_in(dtype, where, "learning_rate", number)
    return number


def number_in(dtype: Any, where: str, name: str, number: float | None) -> None:
    """Raise ValueError for a number above 0 that is not a normal number of dtype.

    Why: on a GPU smaller ones count as 0, and an eps of 0 divides 0 by 0.
    """
    smallest, largest = NORMAL[dtype_name(dtype)]
    if number and not smallest <= number <= largest:
        rule = f"{name} must be from {smallest:.3g} to {largest:.3g} in {dtype_name(dtype)}"
        raise ValueError(f"{where}: {rule}, got {number:g}")


def require_fitting(where: str, params: Arrays, grads: Arrays) -> None:
    """Raise unless flat gradients have the names, shapes, library and dtype of the parameters."""
    if grads.shapes != params.shapes:
        rule = f"grads must have the names and shapes of params, {shown(params)}"
        raise ValueError(f"{where}: {rule}, got {shown(grads)}")
    one_backend(where, params=params.flat, grads=grads.flat)
    if grads.flat.dtype != params.flat.dtype:
        both = f"{params.flat.dtype} and {grads.flat.dtype}"
        raise TypeError(f"{where}: params and grads must have one dtype, got {both}")


def gathered(where: str, params: Mapping[str, Array], grads: Mapping[str, Array]) -> Arrays:
    """Return copies of the gradients of all parameters, cast to their dtype. Raises as `update` does."""
    for name, arrays in (("params", params), ("grads", grads)):
        if not isinstance(arrays, Mapping):
            raise TypeError(
                f"{where}: {name} must be arrays by name, such as net.params, got {shown(arrays)}"
            )
    if not params:
        raise ValueError(f"{where}: params must hold at least one array, got none")
    if type(params) is not Arrays:
        _require_parameters(where, params)
    found = {}
    for name, parameter in params.items():
        gradient: Any = grads.get(name)
        what = f"the gradient of {name}"
        if getattr(gradient, "shape", None) != parameter.shape:
            got = "none" if gradient is None else getattr(gradient, "shape", type(gradient).__name__)
            raise ValueError(f"{where}: {what} must have shape {parameter.shape}, got {got}")
        one_backend(where, **{name: parameter, what: gradient})
        if gradient.dtype != parameter.dtype:
            if kind(gradient) not in "iuf":
                raise TypeError(f"{where}: {what} must hold real numbers, got {gradient.dtype}")
            gradient = asarray(gradient, parameter.dtype, backend_of(parameter))
        found[name] = gradient
    return Arrays.gather(found)


def _require_parameters(where: str, params: Mapping[str, Array]) -> None:
    """Raise unless these are writable arrays, all of them different."""
    places: dict[int, str] = {}
    for name, parameter in params.items():
        backend = one_backend(where, **{name: parameter})
        if dtype_name(parameter.dtype) not in ACCEPTED:
            rule = f"{name} must be float32 or float64"
            raise TypeError(f"{where}: {rule}, got {parameter.dtype}; cast it: asarray(array, 'float32')")
        if not backend.writable(parameter):
            raise ValueError(f"{where}: {name} must be a writable array, got a read-only one")
        before = places.setdefault(id(parameter), name)
        if before != name:
            raise ValueError(f"{where}: {before} and {name} are the same array; copy it for one of them")
