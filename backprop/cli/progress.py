"""The display of progress: lines that stay, and on a terminal a bar below them."""

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

import click
from tqdm import tqdm

from backprop.training import History

LINES = 20  # about this many lines per run
T = TypeVar("T")


def say_nothing(line: str) -> None:
    """Print nothing, in place of `click.echo`: with --quiet."""


class Display(Protocol):
    """An object that `train` calls with its history, and that is closed when it ends."""

    def __call__(self, history: History) -> None:
        """Show the progress of the training."""

    def close(self) -> None:
        """Remove what must not stay on the screen."""


class Silence:
    """A display that shows nothing."""

    def __call__(self, history: History) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing: there is nothing to remove."""


class Lines:
    """A display that prints a line per evaluation, about LINES in all, on standard output."""

    def __init__(self, total: int) -> None:
        self.total, self.next = total, 0.0

    def __call__(self, history: History) -> None:
        done = history.iterations[-1]
        if len(history.loss) == done and done >= self.next:
            self.next = math.inf if done == self.total else min(self.total, self.next + self.total / LINES)
            loss = f"loss {history.loss[-1]:.4f}  " if history.loss else ""
            held_out = f"val {history.validation_accuracy[-1]:.4f}  " if history.validation_accuracy else ""
            click.echo(
                f"iteration {done:>{len(str(self.total))}}/{self.total}  {loss}"
                f"train {history.train_accuracy[-1]:.4f}  {held_out}test {history.test_accuracy[-1]:.4f}"
            )

    def close(self) -> None:
        """Do nothing: there is nothing to remove."""


class Bar:
    """A display that also shows a bar with loss, accuracy and rate, on standard error."""

    def __init__(self, total: int) -> None:
        self.lines = Lines(total)
        self.bar: Any = tqdm(
            total=total,
            unit="it",
            dynamic_ncols=True,
            file=sys.stderr,
            leave=False,
            bar_format="{percentage:3.0f}% {bar} {n}/{total} {rate_fmt}{postfix}",
        )

    def __call__(self, history: History) -> None:
        with tqdm.external_write_mode(file=sys.stdout):
            self.lines(history)
        shown = [f"loss {history.loss[-1]:.3f}"] if history.loss else []
        shown += [f"val {history.validation_accuracy[-1]:.3f}"] if history.validation_accuracy else []
        shown += [f"test {history.test_accuracy[-1]:.3f}"]
        self.bar.set_postfix_str(", ".join(shown), refresh=False)
        self.bar.update(len(history.loss) - self.bar.n)

    def close(self) -> None:
        """Remove the bar from the screen."""
        self.bar.close()


def with_bar(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield the items. On a terminal, show a bar on standard error meanwhile and remove it at the end."""
    with tqdm(
        total=len(items),
        disable=not _on_terminal(),
        dynamic_ncols=True,
        file=sys.stderr,
        leave=False,
        bar_format="{desc} {bar} {n}/{total} {elapsed}",
        desc=what,
    ) as bar:
        for item in items:
            yield item
            bar.update()


def progress(total: int, quiet: bool) -> Display:
    """Return the display that suits standard error: a bar on a terminal, else lines; none if `quiet`."""
    if quiet:
        return Silence()
    return Bar(total) if _on_terminal() else Lines(total)


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
