"""How a training run shows itself while it runs: a bar on a terminal, plain lines elsewhere."""

import sys
from typing import Any

import click
from tqdm import tqdm

from backprop.training import History


class Bar:
    """A progress bar on standard error with loss, accuracy and rate."""

    def __init__(self, total: int) -> None:
        self.bar: Any = tqdm(
            total=total,
            unit="it",
            ncols=80,
            file=sys.stderr,
            leave=False,
            bar_format="{percentage:3.0f}% {bar} {n}/{total} {rate_fmt}{postfix}",
        )

    def __call__(self, history: History) -> None:
        shown = [f"loss {history.loss[-1]:.3f}"] if history.loss else []
        accuracies = history.test_accuracy or history.train_accuracy
        self.bar.set_postfix_str(", ".join([*shown, f"accuracy {accuracies[-1]:.3f}"]), refresh=False)
        self.bar.update(len(history.loss) - self.bar.n)

    def close(self) -> None:
        """Take the bar off the screen."""
        self.bar.close()


class Lines:
    """A line on standard output for every evaluation."""

    def __init__(self, total: int) -> None:
        self.total, self.printed = total, 0

    def __call__(self, history: History) -> None:
        if len(history.iterations) > self.printed:
            self.printed = len(history.iterations)
            loss = f"loss {history.loss[-1]:.4f}  " if history.loss else ""
            click.echo(
                f"iteration {history.iterations[-1]:>{len(str(self.total))}}/{self.total}  {loss}"
                f"train {history.train_accuracy[-1]:.4f}  test {history.test_accuracy[-1]:.4f}"
            )

    def close(self) -> None:
        """Nothing to take off."""


def progress(total: int) -> Bar | Lines:
    """The one that fits where standard error goes."""
    return Bar(total) if sys.stderr.isatty() else Lines(total)
