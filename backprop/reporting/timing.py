"""Timing in turns: what slows a machine down for a while slows all that is compared, and ratios hold."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

Work: TypeAlias = Callable[[int], object]  # does its work that many times, and returns when all of it is done


@dataclass(frozen=True)
class Times:
    """Seconds a call, by what was called: one figure for each round, in the order of the rounds."""

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """The median over the rounds, in seconds a call."""
        return median(self.seconds[name])

    def ratio(self, name: str, reference: str) -> float:
        """How much longer one takes than another: the median of the rounds' own ratios."""
        pairs = zip(self.seconds[name], self.seconds[reference], strict=True)
        return median(mine / theirs for mine, theirs in pairs)


def in_turns(works: Mapping[str, Work], *, rounds: int = 9, block: float = 0.05) -> Times:
    """Time each work for about `block` seconds, one after the other, and all of them again in every round.

    Before that each is called once, uncounted (compilers and caches warm up), and then until it is known how
    many calls fill a block.

    >>> works = {"one": lambda n: sum(range(1000 * n)), "two": lambda n: sum(range(2000 * n))}
    >>> times = in_turns(works, rounds=3)
    >>> len(times.seconds["one"]), times.median("one") > 0
    (3, True)
    """
    counts = {name: _calls_in(work, block) for name, work in works.items()}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
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
