"""Helpers for arrays on the host, where gradients are compared."""

from typing import Any

from backends import owner_of, to_numpy

SAME = 1e-12  # relative: two runs of the same computation may differ by their order of summation


def random_like(array: Any, rng: Any) -> Any:
    """Return random signs times random sizes near 1, so that errors in two entries hardly ever cancel."""
    factors = to_numpy(rng.uniform(-1.0, 1.0, array.shape))
    factors += factors > 0
    factors -= 0.5
    return factors


def on_host(gradient: Any) -> Any:
    """Return a copy of a gradient on the host, or whatever is neither an array nor a number unchanged."""
    if not isinstance(gradient, (int, float)) and owner_of(gradient) is None:
        return gradient
    host = to_numpy(gradient).copy()
    return host.astype("float64") if host.dtype.kind in "biu" else host


def component(gradient: Any, direction: Any) -> tuple[float, float]:
    """Return a gradient's component along a direction, and the root of the sum of its squared terms."""
    terms = to_numpy(gradient * direction)
    along = float(terms.sum())
    terms *= terms  # in place, since such arrays are large
    return along, float(terms.sum()) ** 0.5


def differ(a: Any, b: Any) -> bool:
    """Return whether two host arrays differ by more than the order of summation explains."""
    return not ((a == b).all() or (abs(a - b) <= SAME * max(abs(a).max(), abs(b).max())).all())
