"""Tests for values in a user's object: numbers, array subclasses, object arrays, random generators."""

from typing import Any

from backends import kind, owner_of, to_numpy
from backprop.gradient_check.requirements import is_array

HOST_ARRAY = type(to_numpy(0.0))


def is_numbers(value: Any) -> bool:
    """Return whether a value is a real number, or a list of real numbers, perhaps nested."""
    return shape_of_numbers(value) is not None


def shape_of_numbers(value: Any, depth: int = 4) -> tuple[int, ...] | None:
    """Return the shape of numbers as an array, () for a single one; None for anything else."""
    if isinstance(value, (list, tuple)):
        first = shape_of_numbers(value[0], depth - 1) if value and depth else None
        if first is None or any(shape_of_numbers(each, depth - 1) != first for each in value):
            return None
        return (len(value), *first)
    is_scalar = owner_of(value) is not None and not is_array(value) and kind(value) in "iuf"
    return () if type(value) in (int, float) or is_scalar else None


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an array or of numbers."""
    return tuple(value.shape) if hasattr(value, "shape") else shape_of_numbers(value) or ()


def is_objects(value: Any) -> bool:
    """Return whether a value is an array of objects, which is treated like a list."""
    return is_array(value) and kind(value) == "O"


def is_subclass(value: Any) -> bool:
    """Return whether a value belongs to a subclass of NumPy's array, such as a matrix or a memmap."""
    return isinstance(value, HOST_ARRAY) and not is_array(value)


def values_of(value: Any) -> Any:
    """Return an array, or numbers, as a plain host array; of a masked array, also the masked values."""
    return to_numpy(value.view(HOST_ARRAY) if is_subclass(value) else value)


def bit_generator_of(value: Any) -> Any:
    """Return the bit generator of a NumPy random generator, which holds its state, or None."""
    if not type(value).__module__.startswith("numpy.random"):
        return None
    return getattr(value, "bit_generator", None) or getattr(value, "_bit_generator", None)
