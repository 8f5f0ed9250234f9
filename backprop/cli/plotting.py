"""Options that name a picture to draw. Their errors come before any work is done."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from backprop.cli.outputs import OutputFile
from backprop.plots import canvas

Files = Mapping[str, Path | None]  # by option


class MissingLibrary(Exception):
    """The error for a call that needs a library which is not installed."""


def plot_option(name: str, help: str, parameter: str | None = None) -> Callable[[Any], Any]:
    """Return an option for the file of a picture.  parameter: its name in Python, else from the option."""
    return click.option(
        *([name] if parameter is None else [name, parameter]),
        metavar="FILE",
        type=OutputFile(canvas.SUFFIXES, dash=False),
        help=help,
    )


def require_matplotlib(context: click.Context, files: Files) -> None:
    """Raise MissingLibrary if a picture is requested and matplotlib is missing."""
    asked = [option for option, file in files.items() if file is not None]
    if not asked:
        return
    os.environ["MPLBACKEND"] = "agg"  # no window; the backend that a notebook sets may be missing here
    if problem := canvas.missing():
        raise MissingLibrary(f"{context.command_path}: {', '.join(asked)}: {problem}")
