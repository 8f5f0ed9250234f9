"""Initial weights, drawn on the host so that a seed gives the same network on every backend."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

from backends import shown
from backprop.arrays.checks import MOST


# The return type is quoted because to look it up would import numpy.random.
def generator(rng: Any = None, where: str = "generator") -> "np.random.Generator":
    """A generator of random numbers on the host.

    rng: a seed or a Generator; None draws a fresh seed.  where: names the caller in errors.
    """
    try:
        # Lists are looked at first: in one that holds itself NumPy would go down until the process dies.
        parts = rng if isinstance(rng, (list, tuple)) else [rng]
        if any(isinstance(part, (bool, np.bool_, list, tuple)) for part in parts):
            raise TypeError
        return np.random.default_rng(rng)
    except Exception as error:  # of any kind: NumPy asks for the object's text, too
        as_error = ValueError if isinstance(error, ValueError) else TypeError
        rule = "rng must be a non-negative integer or a numpy.random.Generator"
        raise as_error(f"{where}: {rule}, got {shown(rng)}") from None


def gaussian(shape: tuple[int, ...], std: float, rng: Any = None) -> np.ndarray:
    """Independent normal values with mean 0 and standard deviation `std`, float64, on the host.

    rng: a seed or a numpy.random.Generator; None draws a fresh seed.  Source: book section 6.2.

    >>> gaussian((2, 3), 0.01, rng=0).shape
    (2, 3)
    """
    if prod(shape) > MOST:
        raise MemoryError(f"{float(prod(shape)):.0e} values are more than any memory holds")
    values = generator(rng).standard_normal(shape)
    with np.errstate(over="ignore"):  # it is told of where they enter a network
        values *= std  # in place, since these may be most of the memory
    return values


def constant(shape: tuple[int, ...], value: float) -> np.ndarray:
    """Return an array of one value, float64, on the host.

    >>> constant((2,), 1.0)
    array([1., 1.])
    """
    return np.full(shape, value)


def random_state() -> Any:
    """Return the state of np.random's own generator."""
    return np.random.get_state()


def put_random_state(state: Any) -> None:
    """Put np.random's own generator back to a state."""
    np.random.set_state(state)


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Leave np.random's own generator as it was, so that what draws from it draws the same again."""
    state = random_state()
    try:
        yield
    finally:
        put_random_state(state)
