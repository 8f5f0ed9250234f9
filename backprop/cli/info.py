"""`backprop info`: what the library would compute with here, and why."""

import os
import platform
from pathlib import Path

import click

import backprop
from backends import Backend, BackendUnavailable, Choice, known_backends, load, why_unavailable
from backprop.arrays import dtypes
from backprop.cli.blas import describe_blas
from backprop.cli.options import backend_option, chosen, json_option, usage_errors, write_json
from backprop.data import DataError, mnist
from backprop.data.download import cache_directory


@click.command()
@backend_option
@json_option
def info(backend: str | None, json_file: Path | None) -> None:
    """Show the backends, which one is active and why, versions, BLAS and data directories."""
    with usage_errors():
        dtype = dtypes.network_dtype()
    facts = {
        "backprop": f"{backprop.__version__} at {Path(backprop.__file__).parent}",
        "python": f"{platform.python_version()} on {platform.platform()}, {os.cpu_count()} CPUs",
    }
    try:
        choice = chosen(backend)
        facts["active"] = f"{choice.backend.name} on {choice.backend.device()}, {choice.why}"
    except BackendUnavailable as error:
        choice = Choice(load("numpy"), f"for want of the one asked for: {error.reason}")
        facts["active"] = f"none: {error}"
    facts |= {name: _state(name) for name in known_backends()}
    facts |= {"warm-up": _warm_up(choice.backend), "BLAS": describe_blas(), "dtype": dtype}
    facts |= {"data": _data(), "cache": _cache()}
    for name, fact in facts.items():
        click.echo(f"{name:10}{fact}")
    write_json(json_file, "info", choice, info=facts)


def _state(name: str) -> str:
    """A backend's version and device, or why it cannot be used."""
    error = why_unavailable(name)
    if error is not None:
        return f"not usable: {error.reason}; {error.cure}"
    backend = load(name)
    versions = ", ".join(f"{what} {version}" for what, version in backend.versions().items())
    return f"usable: {versions} on {backend.device()}"


def _warm_up(backend: Backend) -> str:
    """What a first call costs that a second does not; it is paid here."""
    cache = backend.kernel_cache()
    kernels = f"; compiled kernels are kept in {cache}" if cache else ""
    return f"{backprop.warmup(backend):.2f} s on {backend.name}{kernels}"


def _cache() -> str:
    try:
        return cache_directory()
    except DataError as error:
        return str(error)


def _data() -> str:
    directory = os.environ.get(mnist.VARIABLE)
    return f"{mnist.VARIABLE}={directory}" if directory else f"{mnist.VARIABLE} is not set"
