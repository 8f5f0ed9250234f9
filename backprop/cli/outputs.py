"""The files that a command writes: refused before the work, written after it, each failure told by itself."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stdout, suppress
from functools import partial, wraps
from pathlib import Path
from traceback import walk_tb
from typing import Any

import click

from backends import cut
from backprop.cli.values import option_of, typed
from backprop.reporting import files

STANDARD_OUTPUT = Path("/dev/stdout")  # what "-" stands for, on any system
BROKEN = 3  # the exit code where a file could not be written
_HERE = __name__  # the key, in a context's `meta`, of what this module keeps there


class OutputFile(click.Path):
    """A file to be written when the work is done; what can be said against it is said before.

    suffixes: of the names that it may have.  dash: whether "-" is standard output.
    """

    def __init__(self, suffixes: Sequence[str] = (), dash: bool = True) -> None:
        super().__init__(path_type=Path)
        self.suffixes, self.dash = suffixes, dash

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path.  A pipe is opened, and stays open until the command ends."""
        file = Path(os.path.expanduser(value))
        if ctx is None or ctx.resilient_parsing:
            return file
        if self.dash and (str(value) in ("-", str(STANDARD_OUTPUT)) or files.is_standard_output(file)):
            if sys.stdout is None:
                self.fail("standard output is closed.", param, ctx)
            return STANDARD_OUTPUT
        if not os.path.basename(value):
            self.fail(f"{typed(str(value))} names no file.", param, ctx)
        if self.suffixes and not file.name.lower().endswith(tuple(self.suffixes)):
            self.fail(f"{file}: the name must end in one of {', '.join(self.suffixes)}.", param, ctx)
        try:
            descriptor = files.reserve(file)
        except OSError as error:
            self.fail(f"{file}: {_reason(error)}.", param, ctx)
        if descriptor is not None:
            ctx.call_on_close(partial(os.close, descriptor))
        return file


def with_outputs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command write the files of its options, by `attempt`; it exits with BROKEN if one of them failed.

    If one of them is standard output, what the command prints goes to standard error.
    Raises UsageError where two options name the same file.
    """

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        context = click.get_current_context()
        state = context.meta[_HERE] = {"stdout": sys.stdout, "failed": False}
        state["files"] = _apart(context)
        elsewhere = STANDARD_OUTPUT in state["files"]
        with redirect_stdout(sys.stderr) if elsewhere else nullcontext():
            code = command(*arguments, **options)
        return BROKEN if state["failed"] else code

    return run


def _apart(context: click.Context) -> dict[Path, str]:
    """The options by their files.  Raises UsageError where two files are the same."""
    options: dict[Path, str] = {}
    for parameter in context.command.params:
        file = context.params.get(str(parameter.name))
        if isinstance(parameter.type, OutputFile) and file is not None:
            option = option_of(parameter)
            same = file if file == STANDARD_OUTPUT else Path(os.path.realpath(file))
            if same in options:
                raise click.UsageError(f"{options[same]} and {option} must be two files", context)
            options[same] = option
    return options


def require_not_written(option: str, file: Path) -> None:
    """Raise UsageError where the file that an option names to be read is one that would be written."""
    context = click.get_current_context(silent=True)
    written = context.meta.get(_HERE, {}).get("files", {}) if context else {}
    if other := written.get(file.resolve()):
        raise click.UsageError(f"{option} and {other} must be two files", context)


def attempt(option: str, file: Path | None, writing: Callable[[Path], object]) -> bool:
    """Write the file of an option if it was given; returns whether it is written.

    A failure is told at once, in one line that names option and file, and what comes next goes on.
    """
    if file is None:
        return False
    context = click.get_current_context()
    try:
        writing(file)
        return True
    except Exception as error:  # a picture may fail in any way, by settings of matplotlib that cannot be met
        context.meta[_HERE]["failed"] = True
        piped = file == STANDARD_OUTPUT
        if not (piped and isinstance(error, BrokenPipeError)):  # whose reader has seen enough
            where = "standard output" if piped else file
            line = f"{context.command_path}: {option}: {where}: {_reason(error)}"
            click.echo(" ".join(line.split()), err=True)
        return False


def write(file: Path, text: str) -> None:
    """Write text to a file or to standard output.  Raises OSError."""
    if file != STANDARD_OUTPUT:
        files.write(file, text)
        return
    stream = click.get_current_context().meta[_HERE]["stdout"]
    try:
        click.echo(text.encode("utf-8"), file=stream, nl=False)
    except OSError:
        _give_up(stream)
        raise


def blame(error: OSError) -> str:
    """Say what could not be read or written: standard output, where the error came out of printing."""
    if any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__)):
        _give_up(sys.stdout)
        return f"standard output: {_reason(error)}"
    return str(error)


def _give_up(stream: Any) -> None:
    """Drop what a stream still holds, which Python would try to write once more when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return cut(f"{type(error).__name__}: {error}", 120)
