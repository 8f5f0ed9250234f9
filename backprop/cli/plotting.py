"""Options that name a picture to be drawn: what can be wrong with them is said before any work is done."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from backprop.cli.options import writable
from backprop.plots import canvas

Files = Mapping[str, Path | None]  # by option


class MissingLibrary(Exception):
    """Something is asked for that needs a library which is not installed."""


def plot_option(name: str, help: str, parameter: str | None = None) -> Callable[[Any], Any]:
    """An option for the file of a picture.  parameter: of the function; by default from the option's name."""
    return click.option(
        *([name] if parameter is None else [name, parameter]),
        metavar="FILE",
        callback=_drawable,
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        help=help,
    )


def _drawable(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Refuse a picture that could not be written, before a minute of work rather than after it."""
    if value is not None and value.suffix.lower() not in canvas.SUFFIXES:
        known = ", ".join(canvas.SUFFIXES)
        raise click.BadParameter(f"{value}: the name must end in one of {known}.", context, parameter)
    return writable(context, parameter, value)


def require_files_apart(context: click.Context, files: Files) -> None:
    """Raise UsageError where two options name the same file."""
    seen: dict[Path, str] = {}
    for option, file in files.items():
        if file is not None and seen.setdefault(file.resolve(), option) != option:
            raise click.UsageError(f"{seen[file.resolve()]} and {option} must be two files", context)


def require_matplotlib(context: click.Context, files: Files) -> None:
    """Raise MissingLibrary where a picture is asked for and cannot be drawn here."""
    asked = [option for option, file in files.items() if file is not None]
    problem = canvas.missing() if asked else None
    if problem:
        raise MissingLibrary(f"{context.command_path}: {', '.join(asked)}: {problem}")
