"""The arrays and numbers of an object that an output depends on: those whose replacement changes it.

Arrays are replaced rather than overwritten, so that views and aliases elsewhere keep their values.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any

from backends import backend_of, kind
from backprop.arrays.entering import first_not_finite
from backprop.arrays.initializers import generator
from backprop.gradient_check.host_arrays import differ, quiet, random_like
from backprop.gradient_check.places import Reached, put
from backprop.gradient_check.requirements import is_array
from backprop.gradient_check.values import is_subclass, values_of


def depended_on(obj: Any, arrays: Sequence[Reached], output: Callable[[], Any]) -> list[Reached]:
    """Return the arrays and numbers, among these of an object, that an output depends on.

    Integers are included only if the output can be evaluated with floats in their place; an index cannot.
    output: evaluates the output and returns a new host array.
    """
    if not arrays:
        return []
    rng, last, found = generator(0), output(), []
    first = [deepcopy(each.array) for each in arrays]
    moved = [_moved(each.array, rng) for each in arrays]
    try:
        for each, values in zip(arrays, moved, strict=True):
            _put(obj, each, values)
        if same(last, _evaluated(output)):
            return []
        _put_back(obj, arrays, first)
        for each, values, before in zip(arrays, moved, first, strict=True):
            _put(obj, each, values)  # and leave it: one of two factors of 0 alone would change nothing
            now = _evaluated(output)
            if now is None:  # a failure would hide the other arrays
                _put_back(obj, [each], [before])
            if not same(last, now) and (now is not None or _is_float(each.array)):
                found.append(each)
            last = last if now is None else now
        return found
    finally:
        _put_back(obj, arrays, first)


def _put(obj: Any, each: Reached, value: Any) -> None:
    """Put another value at the places of an array; write into the array if a place is read-only."""
    for place in each.places:
        try:
            put(obj, place, value)
        except Exception:  # a property or a frozen object may raise anything
            if is_array(each.array):
                _write(each.array, value)


def _put_back(obj: Any, arrays: Sequence[Reached], first: Sequence[Any]) -> None:
    for each, values in zip(arrays, first, strict=True):
        _put(obj, each, each.array)
        if is_array(each.array):
            _write(each.array, values)


def _write(array: Any, values: Any) -> None:
    """Write values into an array, unless it is a read-only view: its base is restored as well."""
    with suppress(ValueError):
        array[...] = values


def _moved(value: Any, rng: Any) -> Any:
    """Return different values as floats: an array for an array, a number for a number."""
    values = values_of(value)
    moved = values + 0.1 * (1.0 + abs(values)) * random_like(values, rng)
    if is_subclass(value):
        return moved.view(type(value))
    if not is_array(value):
        return moved.tolist()
    return backend_of(value).asarray(moved.astype(values.dtype) if _is_float(value) else moved)


def _is_float(value: Any) -> bool:
    return is_array(value) and kind(value) == "f"


def _evaluated(output: Callable[[], Any]) -> Any:
    """Return an output, or None if it fails or is not finite."""
    try:
        with quiet():
            now = output()
        return None if first_not_finite(now) else now
    except Exception:  # it may raise anything on other values
        return None


def same(a: Any, b: Any) -> bool:
    """Return whether two outputs are the same; None, from a failed evaluation, equals nothing."""
    return b is not None and a.shape == b.shape and not differ(a, b)
