"""The result of a race: the runs that are done, their statistics, and whether the target is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Any

from backprop.race.runs import Finish

PLACES = 9  # to which a mean of accuracies is rounded, which are multiples of 1 / 10,000


@dataclass(frozen=True)
class Result:
    """The runs of a race, at least one, and what they have in common.

    Attributes
    ----------
    target : int
        In percent.
    seeds : sequence of int
        All that were asked for.
    finishes : sequence of Finish
        The runs that are done.
    outcome : str
        "done", "interrupted" or "diverged".
    is_mnist : bool
        True if the data are all of MNIST, for which the targets are meant.
    """

    target: int
    seeds: Sequence[int]
    finishes: Sequence[Finish]
    outcome: str
    is_mnist: bool

    @property
    def mean(self) -> float:
        """The mean test accuracy, in [0, 1]."""
        return fmean(each.accuracy for each in self.finishes)

    @property
    def mean_in_percent(self) -> str:
        """The mean in percent, with two decimal places, or with as many as tell it from a target missed."""
        places = 2
        while self.is_reached is False and f"{100 * self.mean:.{places}f}" == f"{self.target:.{places}f}":
            places += 1
        return f"{100 * self.mean:.{places}f} %"

    @property
    def least(self) -> float:
        """The least test accuracy, in [0, 1]."""
        return min(each.accuracy for each in self.finishes)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the accuracies, with n - 1 in the denominator; None for a single run."""
        accuracies = [each.accuracy for each in self.finishes]
        return stdev(accuracies) if len(accuracies) > 1 else None

    @property
    def seconds(self) -> float:
        """The median of the seconds of training."""
        return median(each.seconds for each in self.finishes)

    @property
    def evaluation_seconds(self) -> float:
        """The median of the seconds of evaluation."""
        return median(each.evaluation_seconds for each in self.finishes)

    @property
    def is_reached(self) -> bool | None:
        """True if the mean accuracy reaches the target; None if that cannot be said of these runs."""
        if not self.is_mnist or self.outcome != "done":
            return None
        return round(self.mean, PLACES) >= self.target / 100

    def to_dict(self) -> dict[str, Any]:
        """Return everything for JSON: a list for each number of a run, then the statistics."""
        columns = zip(Finish._fields, zip(*self.finishes, strict=True), strict=True)
        return {
            "outcome": self.outcome,
            "target": self.target / 100,
            "target_reached": self.is_reached,
            **{name: list(values) for name, values in columns},
            "mean_accuracy": self.mean,
            "accuracy_deviation": self.deviation,
            "least_accuracy": self.least,
            "median_seconds": self.seconds,
        }
