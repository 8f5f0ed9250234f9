"""The command line: the only part of the library that prints."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

import click

import backprop
from backends import BackendUnavailable
from backends.communicators import RankFailed
from backprop.cli import ranks
from backprop.cli.bench import bench
from backprop.cli.check import check
from backprop.cli.command import ARGUMENTS, SETTINGS, Commands
from backprop.cli.evaluate import evaluate
from backprop.cli.graph import graph
from backprop.cli.info import info
from backprop.cli.interruptions import as_exceptions
from backprop.cli.outputs import what_failed
from backprop.cli.own_fault import Fault
from backprop.cli.plotting import MissingLibrary
from backprop.cli.predict import predict
from backprop.cli.race import race
from backprop.cli.train import train
from backprop.cli.values import BeyondHelp
from backprop.cli.wording import in_options, out_of_memory
from backprop.data import DataError
from backprop.networks import FileError
from backprop.networks.tensor_file import NotInstalled
from backprop.start import WORDS

DONE, FAILED, WRONG_CALL, BROKEN = 0, 1, 2, 3  # exit codes; a signal adds its number to 128
COMPLETION = "_BACKPROP_COMPLETE"  # set by a shell that asks click for completions
MAX_LENGTH = 200  # characters of an error line with its hint
HELP = """Train, check, time and draw small neural networks with explicit backpropagation.

\b
  backprop train --epochs 20 --learning-rate 0.3 --seed 0
  backprop COMMAND --help

Exit codes: 0 done, 1 a check failed or training diverged, 2 wrong usage,
3 something outside is missing or broken, 130 interrupted, 143 terminated,
129 hung up (the terminal was closed).
"""


@click.group(
    cls=Commands,
    commands=[train, predict, evaluate, check, bench, graph, info, race],
    context_settings=SETTINGS,
    help=HELP,
)
@click.version_option(backprop.__version__, "-V", "--version", prog_name="backprop")
def cli() -> None:
    """Hold the commands; by itself it does nothing."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; an expected failure prints one line to stderr."""
    arguments = [*sys.argv[1:]] if arguments is None else [*arguments]
    with ranks.silent_beside_the_first(arguments):
        try:
            with as_exceptions():
                code = _run(arguments)
        except KeyboardInterrupt as ended:
            code = _interrupted(ended, "backprop")
        except Exception as error:  # a fault of the library, of which the other ranks must hear
            ranks.tell(f"{type(error).__name__}: {error}", BROKEN)
            if not ranks.have_failed():
                raise
            traceback.print_exc()
            code = FAILED
    return ranks.ended(code)


def _run(arguments: list[str]) -> int:
    if COMPLETION in os.environ:
        return int(cli.main(arguments, "backprop", standalone_mode=False) or DONE)
    context: click.Context | None = None
    try:
        with cli.make_context("backprop", [*arguments]) as context:
            context.meta[ARGUMENTS] = arguments
            return cli.invoke(context) or DONE
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_CALL
    except click.ClickException as error:
        where = getattr(error, "ctx", None)
        path = where.command_path if where else "backprop"
        message = error.format_message().removeprefix(f"{path.rpartition(' ')[2]}: ")  # as `train` begins
        line = f"{path}: {in_options(message)}"
        hint = "" if isinstance(error, BeyondHelp) else f" (see {path} --help)"
        return _fail(line + hint * (len(line + hint) <= MAX_LENGTH), WRONG_CALL)
    except Fault as fault:
        return _fail(f"{_path(context)}: {fault}", WRONG_CALL)
    except MissingLibrary as error:
        return _fail(str(error), BROKEN)
    except NotInstalled as error:
        return _fail(f"{_path(context)}: {error}", BROKEN)
    except (BackendUnavailable, DataError, FileError) as error:
        return _fail(f"{_path(context)}: {in_options(str(error))}", BROKEN)
    except RankFailed as error:
        return _fail(f"{_path(context)}: {in_options(str(error))}", ranks.code_of(error))
    except MemoryError as error:
        return _fail(f"{_path(context)}: {out_of_memory(error, _command(context))}", BROKEN)
    except BrokenPipeError:  # the reader of our output has gone
        ranks.tell("standard output is closed", BROKEN)
        return BROKEN
    except OSError as error:
        return _fail(f"{_path(context)}: {what_failed(error)}", BROKEN)
    except KeyboardInterrupt as ended:
        return _interrupted(ended, _path(context))


def _interrupted(ended: KeyboardInterrupt, path: str) -> int:
    number = getattr(ended, "number", signal.SIGINT)
    return _fail(f"{path}: {WORDS[number]}", 128 + number)


def _path(context: click.Context | None) -> str:
    return f"backprop {_command(context)}".rstrip()


def _command(context: click.Context | None) -> str:
    return context.invoked_subcommand or "" if context else ""


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    ranks.tell(line.removeprefix("backprop train: "), code)
    with suppress(OSError):  # standard error itself may be closed or full
        if ranks.must_speak():
            ranks.say_aloud(line)
        click.echo(line, err=True)
    return code
