"""The files that a command writes: checked before the work, written after it, each failure reported."""

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
from backprop.cli.ranks import own_rank
from backprop.cli.values import BeyondHelp, option_of, typed
from backprop.reporting import files

STANDARD_OUTPUT = Path("/dev/stdout")  # what "-" stands for, on any system
BROKEN = 3  # the exit code where a file could not be written
_META_KEY = __name__  # of this module's state in a context's `meta`


class OutputFile(click.Path):
    """A file to write when the work is done. An unwritable one is refused before the work.

    suffixes: those that its name may have; all if empty.  dash: True if "-" means standard output.
    """

    def __init__(self, suffixes: Sequence[str] = (), dash: bool = True) -> None:
        super().__init__(path_type=Path)
        self.suffixes, self.dash = suffixes, dash

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path. Open a pipe now and keep it open until the command ends."""
        file = Path(os.path.expanduser(value))
        if ctx is None or ctx.resilient_parsing:
            return file
        if self.dash and (str(value) in ("-", str(STANDARD_OUTPUT)) or files.is_standard_output(file)):
            if sys.stdout is None:
                raise BeyondHelp(f"{option_of(param)}: standard output is closed", ctx)
            return STANDARD_OUTPUT
        if not os.path.basename(value):
            raise click.UsageError(f"{option_of(param)} must name a file, got {typed(str(value))}", ctx)
        if self.suffixes and not file.name.lower().endswith(tuple(self.suffixes)):
            rule = f"must end in one of {', '.join(self.suffixes)}"
            raise click.UsageError(f"{option_of(param)} {rule}, got {file}", ctx)
        if own_rank():  # the first rank writes it
            return file
        try:
            descriptor = files.reserve(file)
        except OSError as error:
            raise BeyondHelp(f"{option_of(param)}: {file}: {_reason(error)}", ctx) from None
        if descriptor is not None:
            ctx.call_on_close(partial(os.close, descriptor))
        return file


def with_outputs(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that writes its files through `attempt`, and ends with BROKEN if one of them fails.

    If one of the files is standard output, what the command prints goes to standard error instead.
    Raises UsageError if two options name the same file.
    """

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        context = click.get_current_context()
        state = context.meta[_META_KEY] = {"stdout": sys.stdout, "failed": False}
        state["files"] = _distinct_files(context)
        to_stderr = STANDARD_OUTPUT in state["files"]
        with redirect_stdout(sys.stderr) if to_stderr else nullcontext():
            code = command(*arguments, **options)
        return BROKEN if state["failed"] else code

    return run


def _distinct_files(context: click.Context) -> dict[Path, str]:
    """Return the options by file; raise UsageError if two name the same file."""
    options: dict[Path, str] = {}
    for parameter in context.command.params:
        file = context.params.get(str(parameter.name))
        if isinstance(parameter.type, OutputFile) and file is not None:
            option = option_of(parameter)
            same = file if file == STANDARD_OUTPUT else Path(os.path.realpath(file))
            if same in options:
                raise click.UsageError(f"{options[same]} and {option} must be different files", context)
            options[same] = option
    return options


def require_not_written(option: str, file: Path) -> None:
    """Raise UsageError if the input file of an option would be overwritten by an output."""
    context = click.get_current_context(silent=True)
    written = context.meta.get(_META_KEY, {}).get("files", {}) if context else {}
    if other := written.get(file.resolve()):
        raise click.UsageError(f"{option} and {other} must be different files", context)


def attempt(option: str, file: Path | None, writing: Callable[[Path], object]) -> bool:
    """Write the file of an option if it was given, and return whether it was written.

    A failure prints one line that names the option and the file, and the command goes on.
    """
    if file is None:
        return False
    context = click.get_current_context()
    try:
        writing(file)
        return True
    except Exception as error:  # matplotlib may raise anything, depending on its settings
        context.meta[_META_KEY]["failed"] = True
        piped = file == STANDARD_OUTPUT
        if not (piped and isinstance(error, BrokenPipeError)):  # the reader has stopped on purpose
            where = "standard output" if piped else file
            line = f"{context.command_path}: {option}: {where}: {_reason(error)}"
            click.echo(" ".join(line.split()), err=True)
        return False


def write(file: Path, text: str) -> None:
    """Write text to a file or to standard output; raise OSError if that fails."""
    if file != STANDARD_OUTPUT:
        files.write(file, text)
        return
    stream = click.get_current_context().meta[_META_KEY]["stdout"]
    try:
        click.echo(text.encode("utf-8"), file=stream, nl=False)
    except OSError:
        _discard(stream)
        raise


def what_failed(error: OSError) -> str:
    """Return what could not be read or written; standard output if the error came from printing."""
    if any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__)):
        _discard(sys.stdout)
        return f"standard output: {_reason(error)}"
    return str(error)


def _discard(stream: Any) -> None:
    """Discard the buffer of a stream, which Python would try to flush again at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return cut(f"{type(error).__name__}: {error}", 120)
