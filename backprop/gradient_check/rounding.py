"""The difference between backward and the derivative that rounding can explain, estimated from scatter."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from backends import kind, to_numpy
from backprop.arrays.initializers import generator
from backprop.gradient_check.comparison import Comparison
from backprop.gradient_check.fast import compare
from backprop.gradient_check.host_arrays import component, random_like, scale_of
from backprop.gradient_check.noise import scatter
from backprop.gradient_check.target import TargetCopy


class Precision(NamedTuple):
    """A floating-point precision; all values are relative."""

    digit: float  # the last digit of a number
    nearby: float  # a step of many last digits, over which the gradient is linear
    jump: float  # relative to the response: a gradient that scatters by more has a kink nearby


DOUBLE = Precision(2.0**-52, 2.0**-36, 1e-8)
SINGLE = Precision(2.0**-23, 2.0**-18, 1e-3)
# Factors of x and u. A single array moves far as well: a saturated softmax responds only there.
ELSEWHERE = ((0.5, 0.0), (0.1, 0.0), (0.001, 0.0), (1.0, 1.0), (0.1, 0.3), (0.0, 1.0))
ALONE = ((0.01, 0.0), (-1.0, 0.0), (1.0, 1e2), (1.0, -1e2), (1.0, 1e4), (1.0, -1e4))
MAX_ALONE = 8  # arrays moved alone; a deep network has many more
NEARBY = range(-4, 5)  # small steps; fifth differences weigh the middle, the point itself, most


def rounding(comparison: Comparison, name: str, direction: Any = None, precision: Precision = DOUBLE) -> Any:
    """Return how much of the gradient, or of its component along a direction, may be rounding error.

    Rounding errors change with every small step, so they show up as scatter of backward and of the derivative
    around a smooth curve. A term that has almost cancelled, as in a saturated softmax, carries the rounding
    error of its size elsewhere.
    """
    target, along, gradients, slopes = comparison.target, comparison.slopes[name][0], [], []
    bend, dout = random_like(along, comparison.rng), random_like(to_numpy(target.factors), comparison.rng)
    for k in NEARBY:
        gradient = _gradients_nearby(comparison, k * precision.nearby, dout)[name]
        gradients.append(gradient if direction is None else component(gradient, direction)[0])
        bent = along * (1.0 + k * precision.nearby * bend)
        slopes.append(comparison.slope(name, bent) if comparison.method == "complex" else 0.0)
    natural = (_elsewhere if comparison.method == "complex" else response)(comparison, name)
    size = component(comparison.gradients[name], along)[1]
    jump = precision.jump * max(natural, size, steepness(comparison, name))
    allowed: Any = 64.0 * precision.digit * natural
    for points in (gradients, slopes):
        scattered = to_numpy(16.0 * scatter(points)).copy()
        scattered[~(scattered <= jump)] = 0.0
        allowed = allowed + scattered
    return allowed


def _elsewhere(comparison: Comparison, name: str) -> float:
    """Return the largest size of the gradient at other places where backward is right to all digits."""
    largest = max(_size_at(comparison, name, comparison.slopes, place) for place in ELSEWHERE)
    names = [*comparison.slopes]
    nearest = sorted(names, key=lambda one: abs(names.index(one) - names.index(name)))[:MAX_ALONE]
    alone = max(_size_at(comparison, name, [one], place) for one in nearest for place in ALONE)
    return max(largest, min(alone, steepness(comparison, name)))


def _size_at(comparison: Comparison, name: str, moved: Iterable[str], place: tuple[float, float]) -> float:
    """Return the size of the gradient with arrays moved; 0 if backward is not right to all digits there."""
    direction, _ = comparison.slopes[name]
    with _moved(comparison, moved, partial(_place, *place)) as copied:
        try:
            gradient = comparison.target.run(copied).gradients[name]
            along = compare(gradient, direction, comparison.slope(name, direction))
        except Exception:  # an object may not accept such values
            return 0.0
    return along.size if along.agrees() else 0.0


def response(comparison: Comparison, name: str) -> float:
    """Return the steepest mean slope of the function over a step of an array's own size, or of 1."""
    (direction, _), changes = comparison.slopes[name], [0.0]
    for far in (scale_of(comparison.array(name)), 1.0):
        left, here, right = comparison.values(name, direction, [-far, 0.0, far])
        changes += [abs(left - here) / far, abs(right - here) / far]
    return min(max(change for change in changes if change < float("inf")), steepness(comparison, name))


def steepness(comparison: Comparison, name: str) -> float:
    """Return the slope of a function that loses all its value when an array goes to 0."""
    return comparison.run.terms / scale_of(comparison.array(name))


def _gradients_nearby(comparison: Comparison, by: float, bend: Any) -> dict[str, Any]:
    """Return the gradients with every array, dout, and an input that is not compared moved a little."""
    target = comparison.target
    with _moved(comparison, comparison.slopes, partial(_stretched, by)) as copied:
        x, dout = copied.inputs[0], 1.0 + by * bend if target.honours_dout else 1.0
        if kind(x) != "f" or any(x is array for array in copied.arrays.values()):
            return target.run(copied, dout=dout).gradients
        values = to_numpy(x).copy()
        try:
            x[...] = target.backend.asarray(_stretched(by, values, random_like(values, generator(0))))
            return target.run(copied, dout=dout).gradients
        finally:
            x[...] = target.backend.asarray(values)


def _place(factor: float, by: float, x: Any, u: Any) -> Any:
    return factor * x + by * u


def _stretched(by: float, x: Any, u: Any) -> Any:
    return x * (1.0 + by * u)


@contextmanager
def _moved(
    comparison: Comparison, names: Iterable[str], move: Callable[[Any, Any], Any]
) -> Iterator[TargetCopy]:
    """Move arrays of all copies within a context.  move: a function of values and a direction."""
    backend, before = comparison.target.backend, []
    for method in {"central", comparison.method}:
        arrays = comparison.copy_for(method).arrays
        before += [(arrays[name], comparison.slopes[name][0], backend.copy(arrays[name])) for name in names]
    try:
        for array, direction, values in before:
            moved = backend.asarray(move(to_numpy(values), direction))
            array[...] = backend.astype(moved, array.dtype)
        yield comparison.copy_for("central")
    finally:
        for array, _, values in before:
            array[...] = values
