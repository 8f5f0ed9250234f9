"""The command line: arguments in, text out. The only part of the library that prints."""

import sys
from collections.abc import Sequence

import click

import backprop
from backends import BackendUnavailable
from backprop.cli.bench import bench
from backprop.cli.check import check
from backprop.cli.graph import graph
from backprop.cli.info import info
from backprop.cli.train import train
from backprop.data import DataError

DONE, FAILED, WRONG_CALL, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130  # exit codes


@click.group(commands=[train, check, bench, graph, info], context_settings={"max_content_width": 80})
@click.version_option(backprop.__version__, prog_name="backprop")
def cli() -> None:
    """Train, check, time and draw small neural networks by explicit backpropagation.

    Exit codes: 0 done, 1 a check failed, 2 the call was wrong, 3 something outside is missing or broken.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; an expected failure is one line on standard error."""
    try:
        return cli.main(args=arguments, prog_name="backprop", standalone_mode=False) or DONE
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_CALL
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "backprop"
        return _fail(f"{command}: {error.format_message()} (see {command} --help)", WRONG_CALL)
    except (BackendUnavailable, DataError) as error:
        return _fail(f"backprop: {error}", BROKEN)
    except MemoryError as error:
        return _fail(
            f"backprop: out of memory ({error}): try a smaller --hidden or --batch-size, or bench --quick",
            BROKEN,
        )
    except SystemExit as stopped:  # click's own way to end when whoever read our output has gone
        return BROKEN if stopped.code == 1 else int(stopped.code or DONE)
    except OSError as error:
        return _fail(f"backprop: {error}", BROKEN)
    except click.Abort:
        return _fail("backprop: interrupted", INTERRUPTED)


def _fail(message: str, code: int) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return code
