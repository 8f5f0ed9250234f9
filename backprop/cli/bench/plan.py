"""The sizes that `backprop bench` times, and what its parts share.

A row is a dictionary that JSON can hold. Seconds are medians; "rounds" has the seconds of every round.
Ratios are quotients of medians; "of_reference" is the time as a multiple of the first backend's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from backends import Backend
from backprop.reporting.timing import Work

Row: TypeAlias = dict[str, Any]


class Disagreement(Exception):
    """The error if two ways to compute the same result differ, so that timing them is pointless."""


@dataclass(frozen=True)
class Plan:
    """The sizes and the number of rounds."""

    networks: tuple[tuple[int, int, int], ...] = ((20, 5, 3), (100, 20, 10), (784, 50, 10))  # of gradients
    hidden: tuple[int, ...] = (50, 512, 4096)  # of training steps, each with every
    batches: tuple[int, ...] = (100, 1000, 8192)
    samples: int = 60_000  # as many as MNIST, since the time to gather a batch depends on the CPU caches
    square: int = 2048  # rows and columns of the matrices whose product defines the peak
    iterations: int = 1000  # of the whole training run
    rounds: int = 9
    block: float = 0.1  # least seconds per measurement and round


FULL = Plan()
QUICK = Plan(
    ((20, 5, 3),), (5, 50), (10, 100), samples=1000, square=256, iterations=50, rounds=3, block=0.005
)


def three_digits(value: float) -> str:
    """Return a number with three significant digits, or as an integer if it has more."""
    return f"{value:#.3g}".rstrip(".") if value < 999.5 else f"{value:,.0f}"


def repeat(backend: Backend, function: Callable[[], object]) -> Work:
    """Return a function for `in_turns` that makes that many calls and then waits for the device."""

    def work(count: int) -> None:
        for _ in range(count):
            function()
        backend.synchronize()

    return work
