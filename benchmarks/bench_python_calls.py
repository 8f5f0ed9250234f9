"""The number of Python function calls in one gradient, where a small network spends its time.

`python -m benchmarks.bench_python_calls` prints the count. It is the same in every run of one Python version;
other versions inline differently.
"""

import sys
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from backprop import TwoLayerNet
from backprop.reporting.tables import table

SIZES, BATCH = (784, 50, 10), 100
WANTED = {"all": 75, "before the first product": 45}  # at most, on Python 3.11
HEADER = ("calls of Python functions in net.gradient", "count", "wanted on Python 3.11", "")


class Calls(NamedTuple):
    """Numbers of calls.  all: in a gradient.  before: until its first product."""

    all: int
    before: int


def count() -> Calls:
    """Count the calls in one gradient, after one that is not counted."""
    net = TwoLayerNet(*SIZES, dtype="float32", rng=0, backend="numpy")
    rng = np.random.default_rng(0)
    x, t = rng.random((BATCH, SIZES[0]), dtype=np.float32), rng.integers(SIZES[2], size=BATCH)
    net.gradient(x, t)
    calls, products = 0, []

    def seen(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        if event == "call":
            calls += 1
        elif event == "c_call" and argument.__name__ == "dot":
            products.append(calls)

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        net.gradient(x, t)
    finally:
        sys.setprofile(before)
    return Calls(calls, products[0])


def rows(calls: Calls) -> list[tuple[str, str, str, str]]:
    """Return the counts beside their targets."""
    return [
        (what, str(found), f"at most {wanted}", "met" if found <= wanted else "MISSED")
        for (what, wanted), found in zip(WANTED.items(), calls, strict=True)
    ]


def test_the_calls_of_a_gradient(closing_table):
    calls = count()
    assert 0 < calls.before < calls.all
    assert calls == count()
    closing_table("calls of Python functions", HEADER, rows(calls))


if __name__ == "__main__":
    print(table(HEADER, rows(count())))
