"""How long work shows itself while it runs: lines that last, and on a terminal a bar below them."""

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

import click
from tqdm import tqdm

from backprop.training import History

LINES = 20
T = TypeVar("T")


class Shown(Protocol):
    """What a training calls with its history, and closes when it ends."""

    def __call__(self, history: History) -> None:
        """Show how far the training is."""

    def close(self) -> None:
        """Take away what must not last."""


class Nothing:
    """Shows nothing."""

    def __call__(self, history: History) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Nothing to take away."""


class Lines:
    """A line on standard output for every evaluation, or for about LINES of them."""

    def __init__(self, total: int) -> None:
        self.total, self.next = total, 0.0

    def __call__(self, history: History) -> None:
        done = history.iterations[-1]
        if len(history.loss) == done and done >= self.next:
            self.next = math.inf if done == self.total else min(self.total, self.next + self.total / LINES)
            loss = f"loss {history.loss[-1]:.4f}  " if history.loss else ""
            click.echo(
                f"iteration {done:>{len(str(self.total))}}/{self.total}  {loss}"
                f"train {history.train_accuracy[-1]:.4f}  test {history.test_accuracy[-1]:.4f}"
            )

    def close(self) -> None:
        """Nothing to take away."""


class Bar:
    """The same lines, and below them on standard error a progress bar with loss, accuracy and rate."""

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
        self.bar.set_postfix_str(", ".join([*shown, f"test {history.test_accuracy[-1]:.3f}"]), refresh=False)
        self.bar.update(len(history.loss) - self.bar.n)

    def close(self) -> None:
        """Take the bar off the screen."""
        self.bar.close()


def passing(items: Sequence[T], what: str) -> Iterator[T]:
    """The items one by one; a terminal sees a bar on standard error meanwhile, which goes away."""
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


def progress(total: int, quiet: bool) -> Shown:
    """What suits standard error: a bar on a terminal, else lines; nothing if `quiet`."""
    if quiet:
        return Nothing()
    return Bar(total) if _on_terminal() else Lines(total)


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
