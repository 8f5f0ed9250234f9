"""Functions that read a figure off the rows: a value per round, or none."""

from collections.abc import Callable
from statistics import fmean, median
from typing import Any, TypeAlias

import numpy as np

from benchmarks.gpu_report.rows import Rows, found, seconds

Values: TypeAlias = Callable[[Rows], list[float]]
Measure: TypeAlias = Callable[[np.ndarray], Any]
CAPTURED, EAGER, NUMPY = "ours, captured", "ours, eager", "ours on NumPy"
BLACK_BOX, COLUMNS = "black box", "columns"
PYTORCH, GRAPH, SCAN = "PyTorch eager", "PyTorch CUDA graph", "JAX lax.scan"


def time_of(what: str, name: str) -> Values:
    return lambda rows: seconds(rows, what, name)


def times_slower(what: str, name: str, reference: str) -> Values:
    """Return a reading: the time of one, over the median time of the other."""

    def values(rows: Rows) -> list[float]:
        base = seconds(rows, what, reference)
        return [taken / median(base) for taken in seconds(rows, what, name)] if base else []

    return values


def off_losses(
    what: str, name: str, reference: str, reference_what: str | None = None, by: Measure = np.max
) -> Values:
    """Return a reading: the distance of the first losses from NumPy's, at most or by another measure."""

    def values(rows: Rows) -> list[float]:
        exact = found(rows, reference_what or what, reference)
        return [
            _apart(row["first_losses"], exact[0]["first_losses"], by)
            for row in (found(rows, what, name) if exact else [])
        ]

    return values


def _apart(losses: list[float], exact: list[float], by: Measure) -> float:
    both = min(len(losses), len(exact))
    return float(by(np.abs(np.subtract(losses[:both], exact[:both]))))  # NaN if one of them is


def off_accuracy(name: str) -> Values:
    """Return a reading: the difference of the accuracy after the job from NumPy's, in points."""

    def values(rows: Rows) -> list[float]:
        exact = found(rows, "job", NUMPY)
        mine = found(rows, "job", name) if exact else []
        return [100 * abs(row["accuracy"] - exact[0]["accuracy"]) for row in mine]

    return values


def off_race(name: str) -> Values:
    """Return a reading: the difference of the mean accuracy of the race from ours, in points."""

    def values(rows: Rows) -> list[float]:
        ours, theirs = ([row["accuracy"] for row in found(rows, "race", each)] for each in (CAPTURED, name))
        return [100 * abs(fmean(theirs) - fmean(ours))] if ours and theirs else []

    return values


def percent_right(name: str) -> Values:
    """Return a reading: the mean accuracy of the race, in percent."""

    def values(rows: Rows) -> list[float]:
        right = [row["accuracy"] for row in found(rows, "race", name)]
        return [100 * fmean(right)] if right else []

    return values


def fact(what: str, name: str, key: str) -> Values:
    return lambda rows: [row[key] for row in found(rows, what, name)]
