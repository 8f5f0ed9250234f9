"""Where the commands find their data: `--data`, `--data-dir`, BACKPROP_DATA_DIR, the cache, the sample."""

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
    """A training and a test set, where they are from, and what is known of their images."""

    train: Any
    test: Any
    source: str
    images: str = "images of MNIST"


def _directory(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and (not value or "\0" in value):
        raise click.BadParameter(f"{typed(value)} names no directory.", context, parameter)
    return value


data_option = click.option(
    "--data",
    type=OneOf(["auto", "mnist", "sample"]),
    default="auto",
    show_default=True,
    help="MNIST where it can be had and else the bundled sample, MNIST, or the sample.",
)
data_dir_option = click.option(
    "--data-dir",
    metavar="DIR",
    callback=_directory,
    help=f"Where MNIST's files are.  [default: {VARIABLE}, else the cache]",
)


def load_data(context: click.Context, data: str, data_dir: str | None) -> Data:
    """Load what `--data` and `--data-dir` ask for.

    A directory that is named, by the option or the variable, is used or refused, unless `--data auto` was
    typed. Otherwise the sample takes the place of MNIST that cannot be had, and standard error says so.
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
    """What the directory that the variable names and the cache hold."""
    directory = os.environ.get(VARIABLE)
    named = f"{VARIABLE}={_held(directory)}" if directory else f"{VARIABLE} is not set"
    try:
        cached = _held(cache_directory())
    except DataError as error:
        cached = str(error)
    return {"data": named, "cache": cached}


def _held(directory: str) -> str:
    return f"{click.format_filename(directory)}: {holdings(directory)}"
