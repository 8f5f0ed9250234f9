"""The search for a wrong entry: two good guesses, then bisection."""

from typing import Any

from backends import to_numpy
from backprop.arrays.entering import index_of
from backprop.gradient_check.comparison import Comparison


def find(comparison: Comparison, name: str) -> list[int]:
    """Return the index of a wrong entry in an array whose gradient disagrees along its direction."""
    gradient, (direction, slope) = comparison.gradients[name], comparison.slopes[name]
    terms = gradient * direction
    gap = float(terms.sum()) - slope
    first = largest(comparison, name)  # if many entries are wrong, so is this one
    if gap == 0.0:  # below the precision of the sum
        return first
    for guess in (first, _pinpointed(comparison, name, terms, gap)):
        if comparison.is_off(name, guess):
            return guess
    return _bisected(comparison, name, terms, gap)


def largest(comparison: Comparison, name: str) -> list[int]:
    """Return the index of the entry with the largest share of a gradient's component."""
    gradient = comparison.gradients[name]
    return index_of(int(abs(gradient * comparison.slopes[name][0]).argmax()), gradient.shape)


def _pinpointed(comparison: Comparison, name: str, terms: Any, gap: float) -> list[int]:
    """Return the wrong entry if there is only one: weights that grow from entry to entry identify it."""
    direction, _ = comparison.slopes[name]
    weights = to_numpy(comparison.target.backend.arange(1, terms.size + 1)) / terms.size
    backward = float(terms.reshape(-1) @ weights)
    weights *= direction.reshape(-1)
    weighted = backward - comparison.slope(name, weights.reshape(terms.shape))
    position = weighted / gap * terms.size - 1.0
    return index_of(round(min(max(position, 0.0), terms.size - 1.0)), terms.shape)


def _bisected(comparison: Comparison, name: str, terms: Any, gap: float) -> list[int]:
    """Halve one axis after the other and keep the half with the larger error; one evaluation per halving."""
    direction, _ = comparison.slopes[name]
    region = [slice(0, size) for size in terms.shape]
    for axis, size in enumerate(terms.shape):
        start, stop = 0, size
        while stop - start > 1:
            middle = (start + stop) // 2
            region[axis] = slice(start, middle)
            part = tuple(region)
            half = float(terms[part].sum()) - comparison.slope(name, direction[part], region=part)
            if abs(half) >= abs(gap - half):
                stop, gap = middle, half
            else:
                start, gap = middle, gap - half
        region[axis] = slice(start, stop)
    return [part.start for part in region]
