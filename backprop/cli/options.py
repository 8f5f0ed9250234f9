"""What the commands share: their options, the backend that they ask for, and the JSON that they write."""

import json
import logging
import math
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

import backprop
from backends import PRECISIONS, Backend, Choice, choose, known_backends
from backprop.arrays.dtypes import ACCEPTED
from backprop.cli.outputs import OutputFile, attempt, with_outputs, write
from backprop.cli.values import OneOf, Whole
from backprop.cli.wording import in_options

SEED = Whole(0)
backend_option = click.option(
    "--backend",
    type=OneOf([*known_backends(), "auto"]),
    help="Where to compute.  [default: BACKPROP_BACKEND, else numpy]",
)
dtype_option = click.option(
    "--dtype", type=OneOf(ACCEPTED), help="Element type.  [default: BACKPROP_DTYPE, else float32]"
)
precision_option = click.option(
    "--precision",
    type=OneOf(PRECISIONS),
    default="ieee",
    show_default=True,
    help="Of float32 products: tf32 is faster and coarser, on a GPU alone.",
)
NO_TF32 = (
    "--precision {precision} needs float32 and a CUDA GPU of compute capability 8.0 or later, got {got}; "
    "leave it out"
)
seed_option = click.option(
    "--seed",
    type=SEED,
    help="Seed of all random numbers.  [default: a fresh one, which is shown]",
)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --json, and what belongs to the writing of all its files."""
    option = click.option(
        "--json",
        "json_file",
        metavar="FILE",
        type=OutputFile(),
        help="Also write everything to FILE as JSON; with - to standard output, and text to standard error.",
    )
    return option(with_outputs(command))


@contextmanager
def usage_errors() -> Iterator[None]:
    """What the library says of a wrong setting, from an environment variable say, is an error of the call."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise click.UsageError(str(error), click.get_current_context()) from None


def chosen(backend: str | None) -> Choice:
    """The backend in force.  The commands say themselves which one `auto` took."""
    logging.getLogger("backprop").setLevel(logging.ERROR)
    with usage_errors():
        choice = choose(backend)
    return choice._replace(why=in_options(choice.why))


def with_precision(precision: str, backend: Backend, dtype: Any = "float32") -> str:
    """The precision in which a backend computes where this one is asked for."""
    with backprop.precision(precision):
        return backend.precision(dtype)


def versions(backend: Backend) -> dict[str, str]:
    """The versions of everything that computes."""
    return {
        "backprop": backprop.__version__,
        "python": platform.python_version(),
        "numpy": str(choose("numpy").backend.xp.__version__),
        **backend.versions(),
    }


def write_json(file: Path | None, command: str, choice: Choice, **content: Any) -> None:
    """Write the outcome of a command, the settings, versions and device it had, and `content`."""
    if file is None:
        return
    document = {
        "command": command,
        "backend": choice.backend.name,
        "backend_why": choice.why,
        "device": choice.backend.device(),
        "platform": platform.platform(),
        "versions": versions(choice.backend),
        **content,
    }
    text = json.dumps(_finite(document), indent=1, allow_nan=False) + "\n"
    attempt("--json", file, lambda place: write(place, text))


def _finite(value: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
