"""Which arrays and numbers of an object an output depends on: it changes with others in their place.

Others are put there, rather than written into them, so that views and aliases elsewhere keep their values.
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
    """Return those of these arrays and numbers of an object that an output depends on.

    Of those without floats, only what does its work as floats, too: an index would raise.
    output: evaluates it, and returns a host array of its own.
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
            _put(obj, each, values)  # and leave it, since of two factors of 0 neither alone does anything
            now = _evaluated(output)
            if now is None:  # which hides the others
                _put_back(obj, [each], [before])
            if not same(last, now) and (now is not None or _is_float(each.array)):
                found.append(each)
            last = last if now is None else now
        return found
    finally:
        _put_back(obj, arrays, first)


def _put(obj: Any, each: Reached, value: Any) -> None:
    """Put another value at the places of an array; where a place is fixed, into the array."""
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
    """Put values into an array, but for a view that is read only: what it looks at is put back, too."""
    with suppress(ValueError):
        array[...] = values


def _moved(value: Any, rng: Any) -> Any:
    """Return other values, as floats: an array for an array, a number for a number."""
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
    """Return an output, or None where it fails or is not finite."""
    try:
        with quiet():
            now = output()
        return None if first_not_finite(now) else now
    except Exception:  # for other values it may raise anything
        return None


def same(a: Any, b: Any) -> bool:
    """Return whether two outputs are the same; None, of one that failed, is like no other."""
    return b is not None and a.shape == b.shape and not differ(a, b)
