"""The record of a training run, and the error that ends one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any


class Diverged(ArithmeticError):
    """A training whose loss became NaN or infinite.  history: what was recorded up to then."""

    def __init__(self, message: str, history: "History") -> None:
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple[Any, ...]:
        return Diverged, (str(self), self.history)


@dataclass(repr=False)
class History:
    """The record of a training run: lists of Python numbers, and how it ran.

    loss: the mean loss of each iteration's batch; in nats, where it is a cross-entropy.
    iterations: after how many updates the accuracies were measured.
    train_accuracy, test_accuracy: in [0, 1], one for each entry of `iterations`; none without test data, or
    where the loss has no notion of right, as MeanSquaredError.
    seconds: how long the run took, with its evaluations and without the warm-up.
    warmup_seconds: how long it took before that to compile kernels and load libraries.
    loop: "captured", its steps as a CUDA graph, or "eager: " and why they ran one by one.
    precision: "tf32" if requested and supported by the device, else "ieee".
    """

    loss: list[float] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0
    warmup_seconds: float = 0.0
    loop: str = ""
    precision: str = "ieee"

    def plot(self, file: str | PathLike[str] | None = None, *, title: str | Sequence[str] = ()) -> Any:
        """Draw loss and accuracies; returns a matplotlib Figure, which a notebook shows.

        file: where to write it as well: png, svg or pdf.  title: a line above it, or several.
        Raises ImportError without matplotlib, ValueError for an empty history and for another suffix.

        >>> History().plot()
        Traceback (most recent call last):
        ValueError: plot_history: the history is empty; train first
        """
        from backprop.plots import plot_history  # Why here: who only trains need not load it.

        return plot_history(self, file, title=title)

    def __repr__(self) -> str:
        accuracies = {"train": self.train_accuracy, "test": self.test_accuracy}
        last = ", ".join(f"{name} accuracy {values[-1]:.4f}" for name, values in accuracies.items() if values)
        run = f"{len(self.loss)} iterations in {self.seconds:.1f} s"
        return f"<History of {run}: {last}>" if last else f"<History of {run}>"
