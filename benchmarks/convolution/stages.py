"""Each convolution alone, for timing in turns: forward, and forward with backward."""

from collections.abc import Callable
from typing import Any

from numpy.linalg import norm

from backprop.reporting.timing import Work
from benchmarks.convolution.conv_stage import ConvStage, Runner
from benchmarks.convolution.ours import Ours
from benchmarks.convolution.pytorch import ChannelsLast, Eager

FORWARD, BOTH = "forward", "forward + backward"
# Allowed differences, as shares of the norm. Thick strokes have many equal values, of which rounding makes
# another the largest of its window. Then 2 % of dx moves by a pixel, which hardly changes the sums in dW.
ALLOWED = {"out": 1e-5, "dx": 0.1, "dW": 1e-3, "db": 1e-3}


def require_same(name: str, got: Runner, expected: Runner) -> None:
    """Raise AssertionError if a stage's output or gradients differ by more than rounding."""
    mine, theirs = got.results(), expected.results()
    assert mine.keys() == theirs.keys(), f"{name}: {list(mine)}, not {list(theirs)}"
    for what, values in theirs.items():
        assert mine[what].shape == values.shape, f"{name}: {what} has shape {mine[what].shape}"
        off = float(norm(mine[what] - values) / norm(values))
        assert off <= ALLOWED[what], f"{name}: {what} off by {off:.1e}, not {ALLOWED[what]:.0e}"


def works(stage: ConvStage, with_torch: bool) -> dict[str, Work]:
    """Return the work for `in_turns`, by racer and pass, after checking that all compute the same."""
    runners = {Ours.name: stage.ours()}
    for racer in (Eager, ChannelsLast) if with_torch else ():
        runners[racer.name] = stage.by_torch(racer)
        require_same(f"{stage.name}, {racer.name}", runners[racer.name], runners[Ours.name])
    return {
        f"{name}, {passes}": _repeated(call)
        for name, runner in runners.items()
        for passes, call in ((FORWARD, runner.forward), (BOTH, runner.both))
    }


def _repeated(call: Callable[[], Any]) -> Work:
    def work(n: int) -> None:
        for _ in range(n):
            call()

    return work
