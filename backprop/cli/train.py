"""`backprop train`: train the network of chapter 5."""

import secrets
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

import backprop
from backends import Backend
from backprop import plots
from backprop.arrays.initializers import generator
from backprop.cli.command import Command
from backprop.cli.data import SAMPLE, data_dir_option, data_option, load_data
from backprop.cli.endings import run_to_the_end
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
from backprop.cli.outputs import attempt
from backprop.cli.plotting import plot_option, require_matplotlib
from backprop.cli.progress import progress
from backprop.cli.values import BeyondHelp, Positive, Whole
from backprop.cli.wording import counted
from backprop.optimizers.fitting import rate_in
from backprop.training import ITERATIONS, Diverged, History

COUNT = Whole(1, 10**9)
HELP = """Train a TwoLayerNet on MNIST: 784 pixels, hidden units, 10 digits.

\b
  backprop train --epochs 20 --learning-rate 0.3 --seed 0
"""


@click.command(cls=Command, help=HELP)
@data_option
@data_dir_option
@click.option("--iterations", type=COUNT, help=f"Number of updates.  [default: {ITERATIONS}]")
@click.option(
    "--epochs",
    type=COUNT,
    help="Instead of --iterations: epochs of samples / batch size batches, drawn with replacement.",
)
@click.option("--batch-size", type=COUNT, default=100, show_default=True, help="Samples per batch.")
@click.option(
    "--learning-rate",
    type=Positive(),
    default=0.1,
    show_default=True,
    help="Learning rate of gradient descent.",
)
@click.option("--hidden", type=COUNT, default=50, show_default=True, help="Hidden units.")
@dtype_option
@precision_option
@backend_option
@seed_option
@plot_option("--plot", "Plot loss and accuracies: png, svg or pdf; needs matplotlib.")
@plot_option("--plot-mistakes", "Draw test images that the network gets wrong.")
@plot_option("--plot-weights", "Draw the weights of the hidden units as images.")
@json_option
@click.option("--quiet", "-q", is_flag=True, help="Print only the last line: the accuracies.")
@click.pass_context
def train(
    context: click.Context,
    data: str,
    data_dir: str | None,
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
    quiet: bool,
) -> int:
    """Train a TwoLayerNet on MNIST: 784 pixels, hidden units, 10 digits."""
    if iterations is not None and epochs is not None:
        raise click.UsageError("give --iterations or --epochs, not both", context)
    if data == "sample" and data_dir is not None:
        raise click.UsageError("--data-dir has no effect with --data sample", context)
    pictures = {"--plot": plot, "--plot-mistakes": plot_mistakes, "--plot-weights": plot_weights}
    require_matplotlib(context, pictures)
    choice = chosen(backend)
    seed = secrets.randbits(32) if seed is None else seed
    rng = generator(seed)
    with usage_errors():
        net = backprop.TwoLayerNet(784, hidden, 10, dtype=dtype, rng=rng, backend=choice.backend)
        rate_in(net.dtype, f"--dtype {net.dtype}", learning_rate)
    if with_precision(precision, net.backend, net.dtype) != precision:
        got = f"{net.dtype} on {net.backend.name}, {net.backend.device()}"
        raise BeyondHelp(NO_TF32.format(precision=precision, got=got), context)
    say = _say_nothing if quiet else click.echo
    say(f"backend: {net.backend.name} on {net.backend.device()}, {choice.why}")
    train_set, test_set, name, images = load_data(context, data, data_dir)
    size = len(train_set[0])
    say(f"data: {name}: {size:,} training and {len(test_set[0]):,} test images")
    say(f"network: 784-{hidden}-10, {net.params.flat.shape[0]:,} parameters, {net.params.flat.dtype}")

    if epochs is not None:
        iterations = epochs * max(1, size // batch_size)
    training = partial(
        backprop.train,
        net,
        *train_set,
        *test_set,
        iterations=iterations,
        batch_size=batch_size,
        learning_rate=learning_rate,
        rng=rng,
    )
    with warnings.catch_warnings(), backprop.precision(precision):
        warnings.simplefilter("ignore", RuntimeWarning)  # of a diverged training, also while it is drawn
        history, outcome, error = run_to_the_end(training, progress(iterations or ITERATIONS, quiet))
        settings = {
            "data": data,
            "data_dir": data_dir,
            "iterations": len(history.loss),
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "hidden": hidden,
            "dtype": str(net.dtype),
            "precision": precision,
            "seed": seed,
        }
        write_json(
            json_file, "train", choice, settings=settings, data=name, outcome=outcome, history=vars(history)
        )
        short = f"784-{hidden}-10 after {counted(len(history.loss), 'iteration')} on {size:,} {images}"
        how = f"learning rate {learning_rate:g}, batches of {batch_size:,}, {net.dtype}, seed {seed}"
        x, t = test_set
        attempt("--plot", plot, lambda file: history.plot(file, title=[short, how]))
        attempt(
            "--plot-mistakes",
            plot_mistakes,
            lambda file: plots.plot_mistakes(net, x, t, file, title=f"{short}: the test set"),
        )
        attempt("--plot-weights", plot_weights, lambda file: plots.plot_weights(net, file, title=short))
    diverged = isinstance(error, Diverged)
    _summarize(history, seed, name, net.backend, say, diverged)
    if isinstance(error, Diverged):
        click.echo(f"backprop train: {error}".replace("train: train:", "train:"), err=True)
        return 1
    if error is not None:
        raise error
    return 0


def _say_nothing(line: str) -> None:
    """Print nothing: the `say` of --quiet."""


def _summarize(
    history: History, seed: int, name: str, backend: Backend, say: Callable[[str], None], diverged: bool
) -> None:
    count = len(history.loss)
    recent = history.loss[-100:]
    rate = "" if diverged else f" ({count / history.seconds:,.0f} per second)"
    say(f"{counted(count, 'iteration')} in {history.seconds:.1f} s{rate}, seed {seed}")
    if not backend.on_host:
        say(
            f"steps: {history.loop}; precision: {history.precision}; "
            f"warm-up before: {history.warmup_seconds:.2f} s"
        )
    if recent and not diverged:  # else the loss is NaN or infinite, as the error says
        batches = "batch" if len(recent) == 1 else f"{len(recent)} batches"
        say(f"loss {sum(recent) / len(recent):.4g}, mean of the last {batches}")
    last = history.iterations[-1]
    if diverged and not last:  # only the untrained network was evaluated
        return
    when = f" after {counted(last, 'iteration')}" if last < count else ""
    click.echo(
        f"accuracy{' on the sample' if name == SAMPLE else ''}{when}: "
        f"train {history.train_accuracy[-1]:.4f}, test {history.test_accuracy[-1]:.4f}"
    )
