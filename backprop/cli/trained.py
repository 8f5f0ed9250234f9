"""A trained network that a command is given as a file: the argument, and what it must be able to do."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from backends import Choice, listed, shown
from backprop.cli.options import usage_errors
from backprop.cli.outputs import require_not_written
from backprop.cli.train.network import CLASSES, PIXELS
from backprop.cli.values import BeyondHelp
from backprop.networks import FileError, Network
from backprop.networks.answers import not_finite, tells_classes_apart

network_argument: Callable[..., Any] = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Raise FileError in place of an OSError, which names a file less plainly, inside a `with` block."""
    try:
        yield
    except OSError as error:
        raise FileError(f"{click.format_filename(file)}: cannot be read: {error.strerror or error}") from None


def load_network(file: Path, choice: Choice) -> Network:
    """Return the network of a file. Raises FileError, ImportError, or UsageError if an output is the file."""
    require_not_written("FILE", file)
    with readable(file), usage_errors():
        return Network.load(file, choice.backend)


def require_classifier(context: click.Context, file: Path, net: Network) -> None:
    """Raise BeyondHelp unless a network takes images of MNIST's form and tells ten classes apart.

    Raises FileError if its numbers are not finite: such a network answers nothing.
    """
    where = click.format_filename(file)
    if net.input_size != PIXELS:
        rule = f"the network of {where} takes samples of shape {net.input_shape}, not of {PIXELS} pixels"
        raise BeyondHelp(rule, context)
    wrong = not_finite(net)
    if wrong:
        raise FileError(f"{where}: holds NaN or infinity in {listed(wrong)}; train the network again")
    if net.output_shape != (CLASSES,) or not tells_classes_apart(net):
        rule = f"the network of {where} must tell {CLASSES} classes apart"
        got = f"{shown(net.loss_layer, 60)} of outputs of shape {net.output_shape}"
        raise BeyondHelp(f"{rule}, got {got}", context)


@contextmanager
def without_overflow_warnings() -> Iterator[None]:
    """Silence NumPy in a `with` block: of weights that are too large, the NaN in the figures says enough."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def described(file: Path, net: Network) -> str:
    """Return a network and where it comes from in a few words."""
    of = f"{net.params.flat.shape[0]:,} parameters, {net.dtype}"
    return f"{type(net).__name__} of {click.format_filename(file)}, {of}"
