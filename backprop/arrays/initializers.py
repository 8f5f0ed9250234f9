"""Initial weights, drawn on the host so that a seed gives the same network on every backend."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

from backends import shown
from backprop.arrays.checks import MOST


# The return type is quoted because looking it up would import numpy.random.
def generator(rng: Any = None, where: str = "generator") -> "np.random.Generator":
    """Return a random generator on the host.

    rng: a seed or a Generator; None draws a fresh seed.  where: the caller's name, for errors.
    """
    try:
        # Nested lists are refused first: in one that contains itself, NumPy recurses until the process dies.
        parts = rng if isinstance(rng, (list, tuple)) else [rng]
        if any(isinstance(part, (bool, np.bool_, list, tuple)) for part in parts):
            raise TypeError
        return np.random.default_rng(rng)
    except Exception as error:  # of any kind: NumPy calls methods of the object
        as_error = ValueError if isinstance(error, ValueError) else TypeError
        rule = "rng must be a non-negative integer or a numpy.random.Generator"
        raise as_error(f"{where}: {rule}, got {shown(rng)}") from None


def gaussian(shape: tuple[int, ...], std: float, rng: Any = None) -> np.ndarray:
    """Return independent normal values with mean 0 and standard deviation `std`, float64, on the host.

    rng: a seed or a numpy.random.Generator; None draws a fresh seed. Source: book section 6.2.

    >>> gaussian((2, 3), 0.01, rng=0).shape
    (2, 3)
    """
    if prod(shape) > MOST:
        raise MemoryError(f"{float(prod(shape)):.0e} values do not fit in any memory")
    values = generator(rng).standard_normal(shape)
    with np.errstate(over="ignore"):  # the network that they enter reports it
        values *= std  # in place, since they may fill most of the memory
    return values


def constant(shape: tuple[int, ...], value: float, dtype: str = "float64") -> np.ndarray:
    """Return an array filled with one value, on the host.

    >>> constant((2,), 1.0)
    array([1., 1.])
    """
    return np.full(shape, value, dtype)


def random_key(rng: Any = None) -> np.ndarray:
    """Return 64 random bits, uint64 (1,), on the host: the key of a generator on the device.

    rng: a seed or a numpy.random.Generator; None draws a fresh seed.

    >>> random_key(rng=0)
    array([11749869230777074271], dtype=uint64)
    """
    return generator(rng).integers(2**64, size=1, dtype="uint64")


def random_state() -> Any:
    """Return the state of np.random's global generator."""
    return np.random.get_state()


def put_random_state(state: Any) -> None:
    """Restore the state of np.random's global generator."""
    np.random.set_state(state)


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Restore np.random's global generator at the end, so that the next run draws the same numbers."""
    state = random_state()
    try:
        yield
    finally:
        put_random_state(state)
