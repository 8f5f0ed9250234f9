"""Checks of settings: counts, numbers, flags, functions. And errors for memory that ran out."""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from numbers import Integral, Real
from typing import Any

from backends import kind, shown
from backprop.arrays.near import hint

NOT_NUMBERS = ("bool", "timedelta64")  # refused, although numbers.Integral accepts them
MOST = 10**15  # for counts: the size in bytes of such an array still fits an int64


def positive_integer(where: str, name: str, value: Any, or_zero: bool = False) -> int:
    """Return value as an int of at least 1 (or 0); raise TypeError if not an integer, else ValueError."""
    if type(value).__name__ in NOT_NUMBERS or not isinstance(value, Integral):
        raise TypeError(f"{where}: {name} must be an integer, got {shown(value)}")
    number, least = int(value), 0 if or_zero else 1
    if number < least:
        raise ValueError(f"{where}: {name} must be at least {least}, got {shown(number)}")
    if number > MOST:
        raise ValueError(f"{where}: {name} must be at most {MOST:.0e}, got {shown(number)}")
    return number


def sizes(where: str, name: str, value: Any) -> tuple[int, ...]:
    """Return one size or several as a shape. Raises as positive_integer does, also for their product."""
    each = value if isinstance(value, (tuple, list)) else (value,)
    if len(getattr(value, "shape", ())) == 1:
        raise TypeError(f"{where}: {name} must be an integer, got {shown(value)}; pass several as a tuple")
    shape = tuple(positive_integer(where, name, size) for size in each)
    positive_integer(where, name, math.prod(shape))
    return shape


def positive_number(
    where: str,
    name: str,
    value: Any,
    or_zero: bool = False,
    below: float = math.inf,
    smallest: float = 0.0,
) -> float:
    """Return value as a finite float above 0 and below `below`; raise TypeError or ValueError otherwise.

    or_zero: 0 is allowed.  smallest: of the others.
    """
    result = _float(where, name, value)
    if not (0 < result < below and result >= smallest or (or_zero and result == 0)):
        least = f"of at least {0 if or_zero else smallest:.3g}" if or_zero or smallest else "above 0"
        most = "" if below == math.inf else f" and below {below:g}"
        raise ValueError(f"{where}: {name} must be a finite number {least}{most}, got {shown(value)}")
    return result


def number(where: str, name: str, value: Any) -> float:
    """Return value as a finite float; raise TypeError or ValueError otherwise."""
    result = _float(where, name, value)
    if not math.isfinite(result):
        raise ValueError(f"{where}: {name} must be a finite number, got {shown(value)}")
    return result


def _float(where: str, name: str, value: Any) -> float:
    if not is_real(value):
        raise TypeError(f"{where}: {name} must be a number, got {shown(value)}")
    try:
        return float(value)
    except OverflowError:  # an integer too large for a float
        return math.inf


def is_real(value: Any) -> bool:
    """Return whether a value is a real number of Python's or NumPy's, not a bool or a duration."""
    return isinstance(value, Real) and type(value).__name__ not in NOT_NUMBERS


def require_one_number(where: str, value: Any) -> None:
    """Raise TypeError unless a user's method returned one real number, Python's or 0-d."""
    if not is_real(value) and not (getattr(value, "shape", None) == () and kind(value) in "iuf"):
        raise TypeError(f"{where} must return one number, got {shown(value)}")


def one_of(where: str, name: str, value: Any, known: Iterable[str]) -> str:
    """Return value; raise ValueError unless it is one of the known names."""
    names = [*known]
    if not isinstance(value, str) or value not in names:
        rule = f"{name} must be one of {', '.join(names)}"
        raise ValueError(f"{where}: {rule}, got {shown(value)}{hint(value, names)}")
    return value


def flag(where: str, name: str, value: Any) -> bool:
    """Return value as a bool; raise TypeError unless it is a Python or NumPy bool."""
    if not is_bool(value):
        raise TypeError(f"{where}: {name} must be True or False, got {shown(value)}")
    return bool(value)


def is_bool(value: Any) -> bool:
    """Return whether a value is a bool, Python's or NumPy's."""
    return type(value).__name__ in ("bool", "bool_")


def path_name(where: str, name: str, value: Any, what: str = "file", cure: str = "") -> str:
    """Return a path as a string; raise TypeError or ValueError if it cannot be one.

    what: a file or a directory, for errors.  cure: what else to do, for an impossible name.
    """
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise TypeError(f"{where}: {name} must be a path, str or os.PathLike, got {shown(value)}")
    if not path or "\0" in path or not _encodable(path):
        raise ValueError(f"{where}: {name} must name a {what}, got {shown(path)}{cure and f'; {cure}'}")
    return path


def _encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def function(where: str, name: str, value: Any) -> Callable[..., Any]:
    """Return value; raise TypeError unless it is callable and not async."""
    if not callable(value):
        raise TypeError(f"{where}: {name} must be callable, got {shown(value)}")
    if iscoroutinefunction(value):
        raise TypeError(f"{where}: {name} must not be async, since nothing awaits it, got {shown(value)}")
    found: Callable[..., Any] = value
    return found


@contextmanager
def memory(where: str, cure: str) -> Iterator[None]:
    """Add the caller and a cure to a MemoryError, whose text says how much was requested."""
    try:
        yield
    except MemoryError as error:
        said = MemoryError(f"{where}: {error}; {cure}")
        vars(said).update(vars(error))  # such as the history of a training run
        raise said from error
