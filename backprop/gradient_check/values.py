"""What a value in a stranger's object is: numbers, an array of a subclass or of objects, a generator."""

from typing import Any

from backends import kind, owner_of, to_numpy
from backprop.gradient_check.requirements import is_array

HOST_ARRAY = type(to_numpy(0.0))


def is_numbers(value: Any) -> bool:
    """Return whether a value is a real number, or a list of them, which may be nested."""
    return shape_of_numbers(value) is not None


def shape_of_numbers(value: Any, depth: int = 4) -> tuple[int, ...] | None:
    """Return the shape that numbers have as an array, () for a single one; None for anything else."""
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
    """Return whether a value is an array of objects, which is a list, as it were."""
    return is_array(value) and kind(value) == "O"


def is_subclass(value: Any) -> bool:
    """Return whether a value is an array of a subclass, such as a matrix or one in a file."""
    return isinstance(value, HOST_ARRAY) and not is_array(value)


def values_of(value: Any) -> Any:
    """Return an array, or numbers, on the host and of no subclass; of a masked array what it masks, too."""
    return to_numpy(value.view(HOST_ARRAY) if is_subclass(value) else value)


def bits_of(value: Any) -> Any:
    """Return what keeps the state of a random generator of NumPy's; None for anything else."""
    if not type(value).__module__.startswith("numpy.random"):
        return None
    return getattr(value, "bit_generator", None) or getattr(value, "_bit_generator", None)
