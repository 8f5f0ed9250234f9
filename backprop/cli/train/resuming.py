"""Checkpoints on the command line: messages about them, and the seed of the resumed run."""

import logging
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from backprop.cli.command import ARGUMENTS
from backprop.cli.train.settings import Settings
from backprop.training.checkpoints import LOG, Checkpoints


class _Lines(logging.Handler):
    """Prints what training logs: as a line of the output, or on standard error if it is a warning."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self.say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        if record.levelno > logging.INFO:
            click.echo(f"backprop train: {record.getMessage()}", err=True)
        else:
            self.say(record.getMessage())


@contextmanager
def told(say: Callable[[str], None]) -> Iterator[None]:
    """Print inside a `with` block what training logs of its checkpoints."""
    lines, level = _Lines(say), LOG.level
    LOG.addHandler(lines)
    LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.removeHandler(lines)
        LOG.setLevel(level)


def require_consistent(context: click.Context, settings: Settings) -> None:
    """Raise click.UsageError for options that lack --checkpoint."""
    for option, is_given in (
        ("--resume", settings.resume),
        ("--checkpoint-every", settings.checkpoint_every),
    ):
        if is_given and settings.checkpoint is None:
            raise click.UsageError(f"{option} needs --checkpoint DIR", context)


def seed_to_resume(settings: Settings) -> int | None:
    """Return the seed of the run to resume, if the options leave it open and there is one."""
    if not settings.resume or settings.seed is not None or not os.path.isdir(str(settings.checkpoint)):
        return settings.seed
    newest = Checkpoints(str(settings.checkpoint)).newest()
    seeds = None if newest is None else newest.settings.get("rng")
    return seeds[0] if isinstance(seeds, list) and len(seeds) == 1 and type(seeds[0]) is int else None


def tell_how_to_resume(context: click.Context, settings: Settings) -> None:
    """Print the command that resumes the run on standard error, if there are checkpoints."""
    if settings.checkpoint is not None:
        typed = [word for word in context.meta[ARGUMENTS] if word != "--resume"]
        click.echo(f"to resume: {shlex.join(['backprop', *typed, '--resume'])}", err=True)
