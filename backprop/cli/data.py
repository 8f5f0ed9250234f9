"""The data of the commands: from `--data-dir`, BACKPROP_DATA_DIR, the cache, or the bundled sample."""

import os
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

import backprop
from backprop.cli.values import Directory, OneOf
from backprop.cli.wording import in_options
from backprop.data import FASHION_MNIST_CLASSES, DataError
from backprop.data.download import cache_directory
from backprop.data.holdings import holdings
from backprop.data.known import FASHION_MNIST, MNIST, DataSet
from backprop.data.reading import VARIABLE, named_directory, read_set

SAMPLE = "the bundled sample of MNIST"


class Data(NamedTuple):
    """A training set and a test set, their source, what to call their images, and names of the labels.

    is_mnist: they are all of MNIST, known by its checksums.
    """

    train: Any
    test: Any
    source: str
    images: str = "images of MNIST"
    classes: tuple[str, ...] | None = None
    is_mnist: bool = False


data_option = click.option(
    "--data",
    type=OneOf(["auto", "mnist", "fashion-mnist", "sample"]),
    default="auto",
    show_default=True,
    help="auto takes MNIST if it is available, else the bundled sample.",
)
data_dir_option = click.option(
    "--data-dir",
    type=Directory(),
    help=f"Directory with the files of the data set.  [default: {VARIABLE}, else the cache]",
)


def load_data(context: click.Context, data: str, data_dir: str | None) -> Data:
    """Load the data that `--data` and `--data-dir` ask for.

    A directory named by the option or the variable is used or refused, unless `--data auto` was typed.
    Otherwise the sample replaces MNIST if that is not available, and a line on standard error says so.
    """
    if data == "sample":
        return _sample()
    if data == "fashion-mnist":
        return _fashion_mnist(data_dir)
    named = data_dir is not None or bool(os.environ.get(VARIABLE))
    is_typed = context.get_parameter_source("data") != ParameterSource.DEFAULT
    try:
        return _mnist(data_dir)
    except DataError as error:
        if data == "mnist" or (named and not is_typed):
            raise
        click.echo(in_options(f"using the bundled sample instead of MNIST: {error}"), err=True)
        return _sample()


def _sample() -> Data:
    return Data(*backprop.load_mnist_sample(), SAMPLE)


def _mnist(data_dir: str | None) -> Data:
    digits = read_set(MNIST, data_dir, origin="--data-dir")
    train, test = digits.arranged()
    place = click.format_filename(digits.directory)
    if digits.known is MNIST:
        return Data(train, test, f"MNIST in {place}", is_mnist=True)
    return Data(train, test, f"images and labels in {place}", "images")


def _fashion_mnist(data_dir: str | None) -> Data:
    clothes = read_set(FASHION_MNIST, data_dir, origin="--data-dir")
    source = f"Fashion-MNIST in {click.format_filename(clothes.directory)}"
    return Data(*clothes.arranged(), source, "images of Fashion-MNIST", FASHION_MNIST_CLASSES)


def data_directories() -> dict[str, str]:
    """Return what the directory of BACKPROP_DATA_DIR holds, and what the cache holds, for each data set."""
    directory = os.environ.get(VARIABLE)
    named = f"{VARIABLE}={_describe(directory)}" if directory else f"{VARIABLE} is not set"
    return {"data": named, "cache": _cached(MNIST), "fashion": _described(FASHION_MNIST)}


def _described(known: DataSet) -> str:
    """Return what the directory holds from which a data set would be read."""
    directory = named_directory(known)
    return _cached(known) if directory is None else f"in {VARIABLE}, {_describe(directory)}"


def _cached(known: DataSet) -> str:
    try:
        return _describe(cache_directory(known))
    except DataError as error:
        return str(error)


def _describe(directory: str) -> str:
    return f"{click.format_filename(directory)}: {holdings(directory)}"
