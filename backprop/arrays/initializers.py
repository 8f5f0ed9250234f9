"""Initial weights, drawn on the host so that a seed gives the same network on every backend."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def generator(rng: Any = None) -> "np.random.Generator":  # quoted: to look it up would import numpy.random
    """A generator of random numbers on the host.  rng: a seed or a Generator; None draws a fresh seed."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        message = f"rng must be a non-negative integer or a numpy.random.Generator, got {rng!r}"
        raise type(error)(message) from None


def gaussian(shape: tuple[int, ...], std: float, rng: Any = None) -> np.ndarray:
    """Independent normal values with mean 0 and standard deviation `std`, float64, on the host.

    rng: a seed or a numpy.random.Generator; None draws a fresh seed.  Source: book section 6.2.

    >>> gaussian((2, 3), 0.01, rng=0).shape
    (2, 3)
    """
    return std * generator(rng).standard_normal(shape)


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
