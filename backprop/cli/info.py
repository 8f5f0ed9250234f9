"""`backprop info`: show what the library computes with on this machine, and why."""

import os
import platform
import textwrap
from pathlib import Path
from typing import Any

import click

import backprop
from backends import Backend, BackendUnavailable, Choice, known_backends, load, why_unavailable
from backprop.arrays import dtypes
from backprop.cli.blas import describe_blas
from backprop.cli.command import Command
from backprop.cli.data import data_directories
from backprop.cli.file_info import facts_of
from backprop.cli.options import backend_option, chosen, json_option, write_json
from backprop.cli.outputs import require_not_written
from backprop.cli.trained import readable
from backprop.cli.wording import counted, in_options, line_width

HELP = """Show versions, backends and data, or what a FILE holds.

\b
  BACKPROP_BACKEND=auto backprop info
  backprop info net.safetensors
"""


@click.command(cls=Command, help=HELP)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@backend_option
@json_option
def info(file: Path | None, backend: str | None, json_file: Path | None) -> None:
    """Show versions, backends and data, or what a FILE holds."""
    if file is not None:
        _show(file, chosen(backend), json_file)
        return
    cpus = counted(os.cpu_count() or 1, "CPU")
    facts = {
        "backprop": f"{backprop.__version__} at {Path(backprop.__file__).parent}",
        "python": f"{platform.python_version()} on {platform.platform()}, {cpus}",
    }
    try:
        choice = chosen(backend)
        facts["active"] = f"{choice.backend.name} on {choice.backend.device()}, {choice.why}"
    except (BackendUnavailable, click.UsageError) as error:
        choice = Choice(load("numpy"), f"the requested one is unavailable: {getattr(error, 'reason', error)}")
        facts["active"] = f"none: {in_options(str(error))}"
    facts |= {name: _state(name) for name in known_backends()}
    facts |= {"warm-up": _warm_up(choice.backend), "BLAS": describe_blas(), "dtype": _dtype()}
    facts |= data_directories()
    for name, fact in facts.items():
        click.echo(_wrapped(name, fact))
    write_json(json_file, "info", choice, info=facts)


def _show(file: Path, choice: Choice, json_file: Path | None) -> None:
    """Show what a file of weights holds."""
    require_not_written("FILE", file)
    with readable(file):
        facts, holds = facts_of(file, choice.backend)
    for name, fact in facts.items():
        click.echo(_wrapped(name, fact))
    click.echo(f"\n{holds}")
    write_json(json_file, "info", choice, info=facts, holds=holds.splitlines())


def _wrapped(name: str, fact: str) -> str:
    """Return a fact beside its name, wrapped to the terminal, at most 80 columns."""
    beside, below = f"{name:10}", " " * 10
    options: Any = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(fact, line_width(), initial_indent=beside, subsequent_indent=below, **options)


def _state(name: str) -> str:
    """Return a backend's versions and device, or why it cannot be used."""
    error = why_unavailable(name)
    if error is not None:
        return f"not usable: {error.reason}; {in_options(error.cure)}"
    backend = load(name)
    versions = ", ".join(f"{what} {version}" for what, version in backend.versions().items())
    return f"usable: {versions} on {backend.device()}"


def _dtype() -> str:
    """Return the dtype of new networks, or what is wrong with the variable that sets it."""
    try:
        return dtypes.network_dtype(where="none")
    except ValueError as error:
        return str(error)


def _warm_up(backend: Backend) -> str:
    """Warm up the backend; return the seconds it took, and where compiled kernels are kept."""
    cache = backend.kernel_cache()
    kernels = f"; compiled kernels are kept in {cache}" if cache else ""
    return f"{backprop.warmup(backend):.2f} s on {backend.name}{kernels}"
