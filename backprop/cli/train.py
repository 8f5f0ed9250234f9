"""`backprop train`: the training of chapter 5."""

import math
import os
import secrets
import warnings
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

import backprop
from backends import Backend
from backprop import plots
from backprop.arrays.initializers import generator
from backprop.cli.options import (
    NO_TF32,
    backend_option,
    chosen,
    dtype_option,
    json_option,
    precision_option,
    seed_option,
    usage_errors,
    with_precision,
    write_json,
)
from backprop.cli.plotting import plot_option, require_files_apart, require_matplotlib
from backprop.cli.progress import progress
from backprop.data import DataError, mnist
from backprop.data.download import cache_directory
from backprop.training import ITERATIONS, Diverged, History

COUNT = click.IntRange(1, 10**9)
SAMPLE = "the bundled sample of MNIST"


@click.command()
@click.option(
    "--data",
    type=click.Choice(["auto", "mnist", "sample"]),
    default="auto",
    show_default=True,
    help="MNIST, the bundled sample, or MNIST where it can be had and else the sample.",
)
@click.option(
    "--data-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where MNIST's files are.  [default: BACKPROP_DATA_DIR, else the cache]",
)
@click.option("--iterations", type=COUNT, help=f"Updates to make.  [default: {ITERATIONS}]")
@click.option("--epochs", type=COUNT, help="Of samples // batch size updates each, instead of --iterations.")
@click.option("--batch-size", type=COUNT, default=100, show_default=True, help="Samples per batch.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=0.1,
    show_default=True,
    help="Step of the gradient descent.",
)
@click.option("--hidden", type=COUNT, default=50, show_default=True, help="Hidden units.")
@dtype_option
@precision_option
@backend_option
@seed_option
@plot_option("--plot", "Also draw loss and accuracies: png, svg or pdf, with matplotlib.")
@plot_option("--plot-mistakes", "Also draw test images that the network misreads.")
@plot_option("--plot-weights", "Also draw the weights of the hidden units as images.")
@json_option
@click.pass_context
def train(
    context: click.Context,
    data: str,
    data_dir: Path | None,
    iterations: int | None,
    epochs: int | None,
    batch_size: int,
    learning_rate: float,
    hidden: int,
    dtype: str | None,
    precision: str,
    backend: str | None,
    seed: int | None,
    plot: Path | None,
    plot_mistakes: Path | None,
    plot_weights: Path | None,
    json_file: Path | None,
) -> None:
    """Train a TwoLayerNet on MNIST: 784 pixels, hidden units, 10 digits."""
    if iterations is not None and epochs is not None:
        raise click.UsageError("give --iterations or --epochs, not both", context)
    if data == "sample" and data_dir is not None:
        raise click.UsageError("--data-dir has no use with --data sample", context)
    if not math.isfinite(learning_rate):
        raise click.BadParameter("--learning-rate must be finite", context)
    pictures = {"--plot": plot, "--plot-mistakes": plot_mistakes, "--plot-weights": plot_weights}
    require_files_apart(context, {**pictures, "--json": json_file})
    require_matplotlib(context, pictures)
    choice = chosen(backend)
    seed = secrets.randbits(32) if seed is None else seed
    rng = generator(seed)
    with usage_errors():
        net = backprop.TwoLayerNet(784, hidden, 10, dtype=dtype, rng=rng, backend=choice.backend)
    if with_precision(precision, net.backend, net.dtype) != precision:
        got = f"{net.dtype} on {net.backend.name}, {net.backend.device()}"
        raise click.UsageError(NO_TF32.format(precision=precision, got=got), context)
    click.echo(f"backend: {net.backend.name} on {net.backend.device()}, {choice.why}")
    # Who names a directory, and no `--data auto` beside it, wants what is there and nothing else.
    by_default = context.get_parameter_source("data") == ParameterSource.DEFAULT
    insisted = data == "mnist" or (data_dir is not None and by_default)
    (train_set, test_set), name = _load(data, data_dir, insisted)
    size = len(train_set[0])
    click.echo(f"data: {name}: {size:,} training and {len(test_set[0]):,} test images")
    click.echo(f"network: 784-{hidden}-10, {net.params.flat.shape[0]:,} parameters, {net.params.flat.dtype}")

    if epochs is not None:
        iterations = epochs * max(1, size // batch_size)
    shown, diverged = progress(iterations or ITERATIONS), ""
    try:
        with warnings.catch_warnings(), backprop.precision(precision):
            warnings.simplefilter("ignore", RuntimeWarning)
            history = backprop.train(
                net,
                *train_set,
                *test_set,
                iterations=iterations,
                batch_size=batch_size,
                learning_rate=learning_rate,
                rng=rng,
                callback=shown,
            )
    except Diverged as error:
        history, diverged = error.history, f"backprop train: {error}".replace("train: train:", "train:")
    finally:
        shown.close()
    _summarize(history, seed, name, net.backend)
    settings = {
        "data": data,
        "data_dir": None if data_dir is None else str(data_dir),
        "iterations": len(history.loss),
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "hidden": hidden,
        "dtype": str(net.dtype),
        "precision": precision,
        "seed": seed,
    }
    write_json(json_file, "train", choice, settings=settings, data=name, history=vars(history))
    short = f"784-{hidden}-10 after {len(history.loss):,} iterations on {size:,} images of MNIST"
    how = f"learning rate {learning_rate:g}, batches of {batch_size:,}, {net.dtype}, seed {seed}"
    if plot is not None:
        history.plot(plot, title=[short, how])
    if plot_mistakes is not None:
        x, t = test_set
        plots.plot_mistakes(net, x, t, plot_mistakes, title=f"{short}: the test set")
    if plot_weights is not None:
        plots.plot_weights(net, plot_weights, title=short)
    if diverged:
        click.echo(diverged, err=True)
        context.exit(1)


def _load(data: str, data_dir: Path | None, insisted: bool) -> tuple[Any, str]:
    """The training and test set, and what they are."""
    if data == "sample":
        return backprop.load_mnist_sample(), SAMPLE
    try:
        digits = backprop.load_mnist(data_dir=data_dir)
    except DataError as error:
        if insisted:
            raise
        click.echo(f"training on the bundled sample instead of MNIST: {error}")
        return backprop.load_mnist_sample(), SAMPLE
    return digits, f"MNIST in {data_dir or os.environ.get(mnist.VARIABLE) or cache_directory()}"


def _summarize(history: History, seed: int, name: str, backend: Backend) -> None:
    count = len(history.loss)
    recent = history.loss[-100:]
    loss = sum(recent) / len(recent)
    click.echo(
        f"{count:,} iterations in {history.seconds:.1f} s ({count / history.seconds:,.0f} a second), "
        f"seed {seed}"
    )
    if not backend.on_host:
        click.echo(
            f"steps: {history.loop}; precision: {history.precision}; "
            f"warm-up: {history.warmup_seconds:.2f} s before"
        )
    click.echo(f"loss {loss:.4g}, the mean of the last {len(recent)} batches")
    click.echo(
        f"accuracy{' on the sample' if name == SAMPLE else ''}: "
        f"train {history.train_accuracy[-1]:.4f}, test {history.test_accuracy[-1]:.4f}"
    )
