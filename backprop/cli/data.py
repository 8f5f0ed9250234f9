"""The data of the commands: from `--data-dir`, BACKPROP_DATA_DIR, the cache, or the bundled sample."""

import os
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

import backprop
from backprop.cli.values import OneOf, typed
from backprop.cli.wording import in_options
from backprop.data import DataError
from backprop.data.checksums import is_mnist
from backprop.data.download import cache_directory
from backprop.data.holdings import holdings
from backprop.data.mnist import VARIABLE, read_digits

SAMPLE = "the bundled sample of MNIST"


class Data(NamedTuple):
    """A training set and a test set, their source, and what to call their images."""

    train: Any
    test: Any
    source: str
    images: str = "images of MNIST"


def _directory(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and (not value or "\0" in value):
        raise click.UsageError(f"--data-dir must name a directory, got {typed(value)}", context)
    return value


data_option = click.option(
    "--data",
    type=OneOf(["auto", "mnist", "sample"]),
    default="auto",
    show_default=True,
    help="auto takes MNIST if it is available, else the bundled sample.",
)
data_dir_option = click.option(
    "--data-dir",
    metavar="DIR",
    callback=_directory,
    help=f"Directory with MNIST's files.  [default: {VARIABLE}, else the cache]",
)


def load_data(context: click.Context, data: str, data_dir: str | None) -> Data:
    """Load the data that `--data` and `--data-dir` ask for.

    A directory named by the option or the variable is used or refused, unless `--data auto` was typed.
    Otherwise the sample replaces MNIST if that is not available, and a line on standard error says so.
    """
    if data == "sample":
        return _sample()
    named = data_dir is not None or bool(os.environ.get(VARIABLE))
    is_typed = context.get_parameter_source("data") != ParameterSource.DEFAULT
    try:
        return _mnist(data_dir)
    except DataError as error:
        if data == "mnist" or (named and not is_typed):
            raise
        click.echo(in_options(f"training on the bundled sample instead of MNIST: {error}"), err=True)
        return _sample()


def _sample() -> Data:
    return Data(*backprop.load_mnist_sample(), SAMPLE)


def _mnist(data_dir: str | None) -> Data:
    digits = read_digits(data_dir, origin="--data-dir")
    train, test = digits.arranged()
    place = click.format_filename(digits.directory)
    if is_mnist(digits.files):
        return Data(train, test, f"MNIST in {place}")
    return Data(train, test, f"images and labels in {place}", "images")


def data_directories() -> dict[str, str]:
    """Return what the directory of BACKPROP_DATA_DIR holds, and what the cache holds."""
    directory = os.environ.get(VARIABLE)
    named = f"{VARIABLE}={_describe(directory)}" if directory else f"{VARIABLE} is not set"
    try:
        cached = _describe(cache_directory())
    except DataError as error:
        cached = str(error)
    return {"data": named, "cache": cached}


def _describe(directory: str) -> str:
    return f"{click.format_filename(directory)}: {holdings(directory)}"
