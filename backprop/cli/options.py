"""The common parts of the commands: options, the choice of the backend, and the JSON output."""

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
from backprop.cli.values import BeyondHelp, OneOf, Whole
from backprop.cli.wording import in_options
from backprop.networks import FileError

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
    help="Precision of float32 products; tf32 is faster, coarser, and needs a GPU.",
)
NO_TF32 = (
    "--precision {precision} needs float32 and a CUDA GPU of compute capability 8.0 or later, got {got}; "
    "omit it"
)
seed_option = click.option(
    "--seed",
    type=SEED,
    help="Seed of all random numbers.  [default: a fresh one, printed]",
)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option --json to a command, and the handling of all files that it writes."""
    option = click.option(
        "--json",
        "json_file",
        metavar="FILE",
        type=OutputFile(),
        help="Also write everything to FILE as JSON; - is stdout, and then the text goes to stderr.",
    )
    return option(with_outputs(command))


@contextmanager
def usage_errors() -> Iterator[None]:
    """Report the library's ValueErrors and TypeErrors inside a `with` block as usage errors.

    A wrong environment variable raises one, for instance.
    """
    try:
        yield
    except FileError:  # which says that a file is damaged, not that the call is wrong
        raise
    except (ValueError, TypeError) as error:
        raise BeyondHelp(str(error), click.get_current_context()) from None


def chosen(backend: str | None) -> Choice:
    """Return the backend to use and why, and silence the log: commands print what `auto` took."""
    logging.getLogger("backprop").setLevel(logging.ERROR)
    with usage_errors():
        choice = choose(backend)
    return choice._replace(why=in_options(choice.why))


def with_precision(precision: str, backend: Backend, dtype: Any = "float32") -> str:
    """Return the precision that a backend uses if this one is requested."""
    with backprop.precision(precision):
        return backend.precision(dtype)


def versions(backend: Backend) -> dict[str, str]:
    """Return the versions of the library, Python, NumPy and the backend's libraries."""
    return {
        "backprop": backprop.__version__,
        "python": platform.python_version(),
        "numpy": str(choose("numpy").backend.xp.__version__),
        **backend.versions(),
    }


def write_json(file: Path | None, command: str, choice: Choice, **content: Any) -> None:
    """Write `content` as JSON, with the command, backend, device, platform and versions."""
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
    """Return a copy with None for NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
