"""The agreement of racers: the weights after the first steps before the race, the accuracies after it."""

from collections.abc import Mapping
from statistics import fmean

import numpy as np

from benchmarks.race.course import Weights, reference
from benchmarks.race.racer import Finish, Racer

STEPS, SEED = 20, 0
# Observed: 2e-7, and 1e-4 if an input of a ReLU rounds to the other side of 0. The other rule of momentum
# (see `reference`) is off by 1e-2 to 97 % and by 3e-3 to 98 %.
WEIGHTS = 3e-4
# As a share. Seeds spread by 0.001; racers that start alike do not end alike, since rounding errors grow.
ACCURACY = 0.0025


def require_same_steps(racer: Racer) -> None:
    """Raise AssertionError with the difference unless the racer's first steps are those of the formulas."""
    expected, got = _after_steps(racer)
    assert got.keys() == expected.keys(), f"{racer.name}: {list(got)}"
    for name, values in expected.items():
        np.testing.assert_allclose(
            got[name], values, rtol=0, atol=WEIGHTS, err_msg=f"{racer.name}: {name} after {STEPS} steps"
        )


def off_steps(racer: Racer) -> float:
    """Return the largest difference of a weight after the first steps."""
    expected, got = _after_steps(racer)
    return max(float(np.abs(got[name] - values).max()) for name, values in expected.items())


def _after_steps(racer: Racer) -> tuple[Weights, Weights]:
    """Return the weights after the first steps by the formulas, and by the racer."""
    course = racer.course
    weights, rng = course.start(SEED)
    rates = course.rates()[:STEPS]
    batches = course.batches(rng, len(rates))
    x, t = course.data[:2]
    expected = reference(weights, x, t, batches, rates, course.recipe, racer.rate_outside)
    racer.run(SEED, len(rates))
    return expected, racer.weights()


def require_same_accuracy(finishes: Mapping[str, list[Finish]], first: str, book: str, target: int) -> None:
    """Raise AssertionError if the mean accuracy of one differs from that of the first.

    That of the book's loop, which runs only as long as it must, is compared with the target, in percent.
    """
    means = {name: fmean(each.accuracy for each in runs) for name, runs in finishes.items()}
    for name, mean in means.items():
        expected = target / 100 if name == book else means[first]
        assert abs(mean - expected) <= ACCURACY, f"{name}: mean accuracy {mean:.4f}, not {expected:.4f}"
