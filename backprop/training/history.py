"""The record of a training run, and the error that ends one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any


class Diverged(ArithmeticError):
    """The error for a training run whose loss or parameters became NaN or infinite.

    Parameters
    ----------
    message : str
    history : History
        The record of the training up to that point.
    """

    def __init__(self, message: str, history: "History") -> None:
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple[Any, ...]:
        return Diverged, (str(self), self.history)


@dataclass(repr=False)
class History:
    """The record of a training run: lists of Python numbers, and how it ran.

    Attributes
    ----------
    loss : list of float
        Mean loss of each iteration's batch; in nats if it is a cross-entropy.
    iterations : list of int
        Number of updates before each evaluation.
    train_accuracy, test_accuracy : list of float
        In [0, 1], one for each entry of `iterations`. Empty without test data, or if the loss does not define
        which samples are correct (as with MeanSquaredError).
    seconds : float
        Duration of the run, with evaluations and without the warm-up.
    warmup_seconds : float
        Time spent before that on compiling kernels and loading libraries.
    loop : str
        "captured" if the steps ran as a CUDA graph, else "eager: " and the reason.
    precision : str
        "tf32" if requested and supported by the device, else "ieee".
    test_loss : list of float
        Mean loss of the test set in evaluation mode, one for each entry of `iterations`. Empty without test
        data.
    validation_loss, validation_accuracy : list of float
        The same for the validation set.
    learning_rate : list of float
        Learning rate of each iteration.
    best_iteration : int or None
        With `patience`: the number of updates before the best evaluation, whose weights the network has kept.
    stopped : str
        Why the run ended before its last iteration, in one line; "" if it did not.
    resumed_at : int or None
        The iteration of the checkpoint from which the run was last resumed.
    """

    loss: list[float] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0
    warmup_seconds: float = 0.0
    loop: str = ""
    precision: str = "ieee"
    test_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    best_iteration: int | None = None
    stopped: str = ""
    resumed_at: int | None = None

    def plot(self, file: str | PathLike[str] | None = None, *, title: str | Sequence[str] = ()) -> Any:
        """Draw losses, accuracies and a changing learning rate, and return a matplotlib Figure.

        file: also write the figure there, as png, svg or pdf.  title: one line above it, or several.
        Raises ImportError without matplotlib, ValueError for an empty history or another suffix.

        Examples
        --------
        >>> from backprop.training import History
        >>> History().plot()
        Traceback (most recent call last):
        ValueError: plot_history: the history is empty; train first
        """
        from backprop.plots import plot_history  # here, so that training alone does not load it

        return plot_history(self, file, title=title)

    def __repr__(self) -> str:
        sets = ("train", "validation", "test")
        accuracies = {name: getattr(self, f"{name}_accuracy") for name in sets}
        last = ", ".join(f"{name} accuracy {values[-1]:.4f}" for name, values in accuracies.items() if values)
        count = len(self.loss)
        run = f"{count} {'iteration' if count == 1 else 'iterations'} in {self.seconds:.1f} s"
        return f"<History of {run}: {last}>" if last else f"<History of {run}>"
