"""Where a gradient is off: an entry at fault, by two good guesses or by bisection."""

from typing import Any

from backends import to_numpy
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.host_arrays import index_of


def find(comparison: Comparison, name: str) -> list[int]:
    """An entry at fault, of an array whose gradient disagrees along its direction."""
    gradient, (direction, slope) = comparison.gradients[name], comparison.slopes[name]
    terms = gradient * direction
    gap = float(terms.sum()) - slope
    for guess in (_largest(terms), _pinpointed(comparison, name, terms, gap)):
        backward = float(gradient[tuple(guess)])
        if not abs(backward - comparison.at_entry(name, guess)) <= comparison.limit(abs(backward)):
            return guess
    return _bisected(comparison, name, terms, gap)


def _largest(terms: Any) -> list[int]:
    """The entry that counts most: at fault, where many are."""
    return index_of(int(abs(terms).argmax()), terms.shape)


def _pinpointed(comparison: Comparison, name: str, terms: Any, gap: float) -> list[int]:
    """The entry at fault, where it is one: weights that grow from entry to entry tell which."""
    direction, _ = comparison.slopes[name]
    weights = to_numpy(comparison.subject.backend.arange(1, terms.size + 1)) / terms.size
    backward = float(terms.reshape(-1) @ weights)
    weights *= direction.reshape(-1)
    weighted = backward - comparison.slope(name, weights.reshape(terms.shape))
    position = weighted / gap * terms.size - 1.0
    return index_of(round(min(max(position, 0.0), terms.size - 1.0)), terms.shape)


def _bisected(comparison: Comparison, name: str, terms: Any, gap: float) -> list[int]:
    """Along one axis after the other, the half that is off by more: one evaluation a halving."""
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
