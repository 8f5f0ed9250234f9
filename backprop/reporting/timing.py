"""Timing in turns: a slow phase of the machine affects everything compared, so that ratios hold."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

Work: TypeAlias = Callable[[int], object]  # does its work that many times, and returns when all is done


@dataclass(frozen=True)
class Times:
    """Seconds per call by name, a list with one value per round."""

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median over the rounds, in seconds per call."""
        return median(self.seconds[name])

    def ratio(self, name: str, reference: str) -> float:
        """Return the time as a multiple of another: the median of the ratios per round."""
        pairs = zip(self.seconds[name], self.seconds[reference], strict=True)
        return median(mine / theirs for mine, theirs in pairs)


def in_turns(
    works: Mapping[str, Work],
    *,
    rounds: int = 9,
    block: float = 0.05,
    rest: float = 0.0,
    untimed: int = 0,
) -> Times:
    """Time each work for about `block` seconds, one after the other, in each of the rounds.

    Each is first called once, untimed, to warm up compilers and caches, and then until it is known how many
    calls fill a block.

    rest: seconds of sleep before each block, in which threads that still spin come to rest.
    untimed: calls before each block, behind the rest.

    >>> works = {"one": lambda n: sum(range(1000 * n)), "two": lambda n: sum(range(2000 * n))}
    >>> times = in_turns(works, rounds=3)
    >>> len(times.seconds["one"]), times.median("one") > 0
    (3, True)
    """
    counts = {name: _calls_in(work, block) for name, work in works.items()}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            time.sleep(rest)
            if untimed:
                work(untimed)
            seconds[name].append(_seconds(work, counts[name]) / counts[name])
    return Times(seconds)


def _calls_in(work: Work, block: float) -> int:
    _seconds(work, 1)
    count = 1
    while (taken := _seconds(work, count)) < block / 4:
        count *= 2
    return max(1, round(count * block / taken))


def _seconds(work: Work, count: int) -> float:
    start = time.perf_counter()
    work(count)
    return time.perf_counter() - start
