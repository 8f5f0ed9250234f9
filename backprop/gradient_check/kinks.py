"""Kinks, where a function has different slopes on the left and right, and ties, where kinks meet."""

from typing import Any

from backprop.arrays.entering import index_of
from backprop.gradient_check.comparison import LIMITS, Comparison
from backprop.gradient_check.derivatives import LAST_DIGIT, ONE, entry
from backprop.numerical.gradient import H_CENTRAL

MAX_GROUPS = 24  # groups of tied entries to examine
Slopes = tuple[float, float]


def slopes_at_kink(comparison: Comparison, name: str, index: list[int], backward: float) -> Slopes | None:
    """Return the slopes left and right of a kink within the step around an entry, or None.

    Backward must be one of the two slopes, or lie between them if the entry is at the kink itself. None if
    there is no kink, or if backward is wrong.
    """
    left, right, *beyond = _at(comparison, name, index)
    off = min(abs(backward - left), abs(backward - right))
    if 10.0 * abs(right - left) < off or not _differ(comparison, name, left, right):
        return None
    exact, limit = comparison.exact(), _limit(comparison, name, left, right)
    here = [exact.at_entry(name, index)] if exact else []
    if not min(abs(backward - slope) for slope in (left, right, *here)) <= limit:
        if not min(left, right) <= backward <= max(left, right):
            return None
        # Look as near to the entry as precision allows.
        shrink = 1e3 * _limit(comparison, name, left, right) / abs(right - left)
        nearer_left, nearer_right, *_ = _at(comparison, name, index, min(shrink, 1e-2))
        if not abs(nearer_right - nearer_left) > 0.5 * abs(right - left):
            return None
    return beyond[0], beyond[1]


def is_kinked(comparison: Comparison, name: str) -> bool:
    """Return whether the slopes along an array's direction differ on the left and right."""
    left, right, *_ = _one_sided(comparison, name, comparison.slopes[name][0])
    return _differ(comparison, name, left, right)


def tied_shares(comparison: Comparison, name: str) -> str:
    """Return a sentence on tied entries, as in a maximum, whose shares do not sum to the slope along all.

    "" if there are none. Two entries are tied if their slopes do not add up: what one gains, the other loses.
    """
    left_over = {tuple(index): _at(comparison, name, index)[:2] for index in _kinks(comparison, name)}
    for _ in range(MAX_GROUPS):
        if len(left_over) < 2:
            break
        first, slopes = left_over.popitem()
        group = [first]
        for other, theirs in left_over.items():
            both = _along(comparison, name, [first, other])
            added = [a + b for a, b in zip(slopes, theirs, strict=True)]
            if any(_differ(comparison, name, a, b) for a, b in zip(added, both, strict=False)):
                group.append(other)
        left_over = {index: slopes for index, slopes in left_over.items() if index not in group}
        if why := _wrong_shares(comparison, name, sorted(group)) if len(group) > 1 else "":
            return why
    return ""


def _wrong_shares(comparison: Comparison, name: str, group: list[tuple[int, ...]]) -> str:
    """Return a sentence if the gradients of tied entries do not sum to the slope along all, else ""."""
    total = sum(float(comparison.gradients[name][index]) for index in group)
    left, right = _along(comparison, name, group)
    if _differ(comparison, name, left, right) or not _differ(comparison, name, total, right):
        return ""
    places = ", ".join(str([*index]) for index in group[:3]) + (", …" if len(group) > 3 else "")
    shares = f"{total / right:.6g}, not to 1" if right else f"{total:.6g}, not to 0"
    return f"{places} are tied, and their shares of the gradient sum to {shares}"


def _kinks(comparison: Comparison, name: str) -> list[list[int]]:
    """Return the entries at a kink: there central differences, which mix both slopes, disagree."""
    exact, central = comparison.exact(), comparison.by_central_differences()
    at_the_point = exact.every_entry(name) if exact else comparison.gradients[name]
    between = central.every_entry(name)
    apart = abs(at_the_point - between)
    candidates = [index_of(n, apart.shape) for n, by in enumerate(apart.reshape(-1)) if by > 0.0]
    limit = _limit(comparison, name, float(abs(between).max()), 0.0)
    candidates = [index for index in candidates if apart[tuple(index)] > limit]
    return [index for index in candidates if _differ(comparison, name, *_at(comparison, name, index)[:2])]


# ------------------------------------------------------------------------------------------ one-sided slopes


def _at(comparison: Comparison, name: str, index: list[int], shrink: float = 1.0) -> tuple[float, ...]:
    """Return the slopes on either side of an entry, and those one step away."""
    at = float(comparison.array(name)[tuple(index)])
    return _one_sided(comparison, name, ONE, entry(index), shrink * max(1.0, abs(at)))


def _along(comparison: Comparison, name: str, group: list[tuple[int, ...]]) -> tuple[float, ...]:
    """Return the slopes on either side if entries move together."""
    direction, farthest = 0.0 * comparison.gradients[name], 1.0
    for index in group:
        direction[index] = 1.0
        farthest = max(farthest, abs(float(comparison.array(name)[index])))
    return _one_sided(comparison, name, direction, stretch=farthest)[:2]


def _one_sided(
    comparison: Comparison, name: str, direction: Any, region: Any = ..., stretch: float = 1.0
) -> tuple[float, ...]:
    """Return the slopes left and right, each from three values, and those one step away."""
    h = stretch * _step(comparison, name)
    steps = [-2.0 * h, -h, 0.0, h, 2.0 * h]
    farther, left, here, right, beyond = comparison.values(name, direction, steps, region)
    return (
        (3.0 * here - 4.0 * left + farther) / (2.0 * h),
        (4.0 * right - beyond - 3.0 * here) / (2.0 * h),
        (left - farther) / h,
        (beyond - right) / h,
    )


def _step(comparison: Comparison, name: str) -> float:
    return 1e-3 if comparison.is_noisy(name) else H_CENTRAL


def _limit(comparison: Comparison, name: str, *slopes: float) -> float:
    """Return how far a one-sided slope may be off: the rounding errors of values over the step."""
    scattered, size = comparison.noise(name)
    relative = LIMITS["central"] * max(map(abs, slopes))
    return relative + 8.0 * max(scattered, LAST_DIGIT * size) / _step(comparison, name)


def _differ(comparison: Comparison, name: str, a: float, b: float) -> bool:
    return abs(a - b) > 10.0 * _limit(comparison, name, a, b)
