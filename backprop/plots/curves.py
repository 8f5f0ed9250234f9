"""The lists that are drawn of a training run, checked: those of a `History` or an object like it."""

from collections.abc import Callable
from math import isfinite
from numbers import Real
from typing import Any, NamedTuple

from backends import shown


class Curves(NamedTuple):
    """The lists of a `History`: one value per batch, or per entry of `iterations`, or none at all."""

    loss: list[float]
    iterations: list[float]
    train_accuracy: list[float]
    test_accuracy: list[float]
    validation_accuracy: list[float]
    validation_loss: list[float]
    test_loss: list[float]
    learning_rate: list[float]


NEEDED = ("loss", "iterations", "train_accuracy", "test_accuracy")


def curves_of(history: Any) -> Curves:
    """Return the lists of a history, as floats.

    Raises TypeError for an object without these lists of numbers, ValueError for an empty history and for
    values out of range.
    """
    record = Curves(*(_list(history, name) for name in Curves._fields))
    if not record.loss and not record.iterations:
        raise ValueError("plot_history: the history is empty; train first")
    _require("iterations", record.iterations, "counts of updates", lambda at: isfinite(at) and at >= 0)
    for name in Curves._fields[2:]:
        values = getattr(record, name)
        if name.endswith("accuracy"):
            _require(name, values, "fractions, as 0.97 for 97%", lambda part: not (part < 0 or part > 1))
        if name == "learning_rate":
            _require(name, values, "finite numbers of at least 0", lambda rate: isfinite(rate) and rate >= 0)
            if values and len(values) != len(record.loss):
                got = f"{len(values)} for {len(record.loss)}"
                raise ValueError(f"plot_history: {name} must have one number per loss, got {got}")
        elif values and len(values) != len(record.iterations):
            got = f"{len(values)} for {len(record.iterations)}"
            raise ValueError(f"plot_history: {name} must have one number per entry of iterations, got {got}")
    return record


def _list(history: Any, name: str) -> list[float]:
    if not hasattr(history, name):
        if name not in NEEDED:
            return []
        lists = ", ".join(NEEDED)
        cure = f"pass the History that train returns, or an object with {lists}"
        raise TypeError(f"plot_history: history must have {name}, got {shown(history)}; {cure}")
    try:
        values = list(getattr(history, name))
    except TypeError:
        got = shown(getattr(history, name))
        raise TypeError(f"plot_history: {name} must be a list of numbers, got {got}") from None
    for i, value in enumerate(values):
        if not isinstance(value, Real):
            raise TypeError(f"plot_history: {name} must hold real numbers, got {shown(value)} at [{i}]")
    try:
        return [float(value) for value in values]
    except OverflowError:
        raise ValueError(f"plot_history: {name} must hold numbers that fit into a float") from None


def _require(name: str, values: list[float], rule: str, holds: Callable[[float], bool]) -> None:
    for i, value in enumerate(values):
        if not holds(value):
            raise ValueError(f"plot_history: {name} must be {rule}, got {value:g} at [{i}]")
