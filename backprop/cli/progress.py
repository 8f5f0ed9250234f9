"""How long work shows itself while it runs: a bar on a terminal; elsewhere a training prints plain lines."""

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import click
from tqdm import tqdm

from backprop.training import History

LINES = 20
T = TypeVar("T")


class Bar:
    """A progress bar on standard error with loss, accuracy and rate."""

    def __init__(self, total: int) -> None:
        self.bar: Any = tqdm(
            total=total,
            unit="it",
            dynamic_ncols=True,
            file=sys.stderr,
            leave=False,
            bar_format="{percentage:3.0f}% {bar} {n}/{total} {rate_fmt}{postfix}",
        )

    def __call__(self, history: History) -> None:
        shown = [f"loss {history.loss[-1]:.3f}"] if history.loss else []
        self.bar.set_postfix_str(", ".join([*shown, f"test {history.test_accuracy[-1]:.3f}"]), refresh=False)
        self.bar.update(len(history.loss) - self.bar.n)

    def close(self) -> None:
        """Take the bar off the screen."""
        self.bar.close()


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
        """Nothing to take off."""


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


def progress(total: int) -> Bar | Lines:
    """The one that fits where standard error goes."""
    return Bar(total) if _on_terminal() else Lines(total)


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
