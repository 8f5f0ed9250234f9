"""Arrays on the host, where gradients are compared: random ones, copies, and where an entry lies."""

from typing import Any

from backends import owner_of, to_numpy

INFINITY = float("inf")


def random_like(array: Any, rng: Any) -> Any:
    """Random signs times random sizes near 1: errors in two entries would have to be in ratio to cancel."""
    factors = to_numpy(rng.uniform(-1.0, 1.0, array.shape))
    factors += factors > 0
    factors -= 0.5
    return factors


def on_host(gradient: Any) -> Any:
    """A gradient as an array of its own on the host; what is no array as it is."""
    if not isinstance(gradient, (int, float)) and owner_of(gradient) is None:
        return gradient
    host = to_numpy(gradient).copy()
    return host.astype("float64") if host.dtype.kind in "biu" else host


def first_not_finite(values: Any) -> list[int] | None:
    """Where a host array first holds NaN or an infinity; None where it is finite."""
    smallest, largest = values.min(), values.max()  # NaN where any is
    if abs(smallest) < INFINITY and abs(largest) < INFINITY:
        return None
    return index_of(int((abs(values) < INFINITY).argmin()), values.shape)


def index_of(position: int, shape: tuple[int, ...]) -> list[int]:
    """Where an entry of a flattened array lies in its shape."""
    index: list[int] = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.insert(0, i)
    return index
