"""Arrays on the host, where gradients are compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from warnings import catch_warnings, simplefilter

from backends import backend_of, owner_of, to_numpy

SAME = 1e-12  # relative: the order of summation may differ between two runs


def random_like(array: Any, rng: Any) -> Any:
    """Return random signs times random sizes from 0.5 to 1.5, so that errors hardly ever cancel."""
    factors = to_numpy(rng.uniform(-1.0, 1.0, array.shape))
    factors += factors > 0
    factors -= 0.5
    return factors


def dout_like(out: Any, values: Any) -> Any:
    """Return host values as the dout of an output: an array of the same library, or a number for a number.

    A number, unlike an array, cannot be modified by backward.
    """
    if owner_of(out) is None:
        return float(values)
    backend = backend_of(out)
    is_on_host = backend.array_type is type(to_numpy(0.0))
    return values[()] if is_on_host and not values.shape else backend.asarray(values.copy())


def on_host(gradient: Any) -> Any:
    """Return a host copy of a gradient; return anything but an array or a number unchanged."""
    if not isinstance(gradient, (int, float)) and owner_of(gradient) is None:
        return gradient
    host = to_numpy(gradient).copy()
    return host.astype("float64") if host.dtype.kind in "biu" else host


@contextmanager
def quiet() -> Iterator[None]:
    """Silence overflow warnings: values that are not finite are never ok anyway."""
    with catch_warnings():
        simplefilter("ignore", RuntimeWarning)
        yield


def component(gradient: Any, direction: Any) -> tuple[float, float]:
    """Return a gradient's component along a direction, and the root of the sum of squared terms."""
    terms = to_numpy(gradient * direction)
    along, largest = float(terms.sum()), abs(max(float(terms.max()), -float(terms.min())))
    if not 1e-100 < largest < 1e100:  # its square may overflow or underflow
        if not 0.0 < largest < float("inf"):
            return along, largest
        terms /= largest
        return along, largest * float((terms * terms).sum()) ** 0.5
    terms *= terms  # in place, since the arrays are large
    return along, float(terms.sum()) ** 0.5


def scale_of(array: Any) -> float:
    """Return the size of the largest entry, or 1 if all are 0."""
    return float(abs(array).max()) or 1.0


def differ(a: Any, b: Any) -> bool:
    """Return whether two host arrays differ by more than the order of summation can explain."""
    return not ((a == b).all() or (abs(a - b) <= SAME * max(abs(a).max(), abs(b).max())).all())
