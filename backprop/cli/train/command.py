"""`backprop train`: train one of the book's networks on MNIST."""

import os
import secrets
import textwrap
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import click

import backprop
from backends import Array, Choice
from backends.communicators import Communicator, choose_communicator, launched
from backends.communicators.selection import VARIABLE
from backprop import plots
from backprop.arrays.initializers import generator
from backprop.cli.command import Command
from backprop.cli.data import Data, load_data
from backprop.cli.endings import run_to_the_end
from backprop.cli.options import NO_TF32, chosen, usage_errors, with_precision, write_json
from backprop.cli.outputs import attempt
from backprop.cli.plotting import require_matplotlib
from backprop.cli.progress import progress, say_nothing
from backprop.cli.ranks import begin
from backprop.cli.train.models import completed
from backprop.cli.train.network import make_network, name_of
from backprop.cli.train.optimizer import make_optimizer
from backprop.cli.train.processes import run_processes
from backprop.cli.train.report import beside_the_rate, in_hidden_layers, in_json, summarize
from backprop.cli.train.resuming import require_consistent, seed_to_resume, tell_how_to_resume, told
from backprop.cli.train.schedule import make_schedule
from backprop.cli.train.settings import Settings, with_settings
from backprop.cli.values import BeyondHelp
from backprop.cli.wording import counted, line_width
from backprop.networks import Network
from backprop.networks.tensor_file import NotInstalled, library
from backprop.training import Diverged, History

HELP = """Train a network on MNIST: 784 pixels, hidden layers, 10 digits.

Without options for it, the network is the book's TwoLayerNet. The options of its layers are --hidden to
--init; those that a --model does not have are refused.

\b
  backprop train --epochs 20 --learning-rate 0.3 --seed 0
  backprop train --hidden 100,50 --batch-norm --optimizer adam --patience 3
  backprop train --model simple-conv --seed 0
"""


@click.command(cls=Command, help=HELP)
@with_settings
@click.pass_context
def train(context: click.Context, /, **options: Any) -> int:
    """Train a network on MNIST: 784 pixels, hidden layers, 10 digits."""
    settings = Settings(**completed(context, options))
    _require_consistent(context, settings)
    if settings.processes is not None and launched().size == 1 and settings.processes > 1:
        return run_processes(context, settings.processes)
    require_matplotlib(context, settings.pictures)
    if settings.save is not None:
        library()
    choice = chosen(settings.backend)
    try:
        with usage_errors():
            communicator = choose_communicator(None, choice.backend, "train")
    except (ImportError, RuntimeError) as error:
        raise NotInstalled(str(error)) from error
    if communicator.rank:
        settings = settings.without_files
    code = _train(context, settings, choice, communicator)
    if not communicator.failed:
        communicator.barrier()  # so that all hear of it if the first cannot print or write
    return code


def _train(context: click.Context, settings: Settings, choice: Choice, communicator: Communicator) -> int:
    """Train on this rank, and return the exit code."""
    ranks = begin(communicator)
    seed = None if communicator.rank else seed_to_resume(settings)
    seed = communicator.gather(secrets.randbits(32) if seed is None else seed)[0]
    rng = generator(seed)
    with usage_errors():
        net = make_network(
            settings.model,
            settings.hidden,
            settings.activation,
            settings.batch_norm,
            settings.sync_batch_norm,
            settings.dropout,
            settings.init,
            settings.label_smoothing,
            settings.dtype,
            rng,
            choice.backend,
        )
        optimizer = make_optimizer(
            settings.optimizer, settings.learning_rate, settings.weight_decay, net.dtype
        )
    precision = settings.precision
    if with_precision(precision, net.backend, net.dtype) != precision:
        got = f"{net.dtype} on {net.backend.name}, {net.backend.device()}"
        raise BeyondHelp(NO_TF32.format(precision=precision, got=got), context)
    say = say_nothing if settings.quiet else click.echo
    data = load_data(context, settings.data, settings.data_dir)
    size, held = _sizes(context, settings, len(data.train[0]))
    if ranks:
        say(ranks)
    say(f"backend: {net.backend.name} on {net.backend.device()}, {choice.why}")
    say(f"data: {data.source}: {len(data.train[0]):,} training and {len(data.test[0]):,} test images")
    if held:
        say(f"held out for validation: {held:,} of the training images")
    network = name_of(settings.model, settings.hidden)
    say(f"network: {network}, {net.params.flat.shape[0]:,} parameters, {net.params.flat.dtype}")
    inside, beside = in_hidden_layers(settings), beside_the_rate(settings, optimizer)
    if inside:
        say(f"hidden layers: {inside}")
    if beside:
        line = f"training: {beside}, learning rate {optimizer.learning_rate:g}"
        say(textwrap.fill(line, line_width(), subsequent_indent="  "))

    before, epoch = net.params.copy(), max(1, size // settings.batch_size)
    iterations = settings.iterations or (settings.epochs or 0) * epoch
    training = partial(
        backprop.train,
        net,
        *data.train,
        *data.test,
        iterations=iterations,
        batch_size=settings.batch_size,
        optimizer=optimizer,
        schedule=None if settings.schedule is None else make_schedule(settings.schedule),
        shuffle=settings.shuffle,
        validation=settings.held_out,
        patience=settings.patience,
        rng=rng,
        checkpoint=settings.checkpoint,
        checkpoint_every=settings.checkpoint_every,
        resume=settings.resume,
        communicator=communicator,
    )
    with warnings.catch_warnings(), backprop.precision(precision):
        warnings.simplefilter("ignore", RuntimeWarning)  # of a diverged training, also while it is drawn
        try:
            with told(say), usage_errors():
                history, outcome, error = run_to_the_end(training, progress(iterations, settings.quiet))
        except KeyboardInterrupt:
            tell_how_to_resume(context, settings)
            raise
        if outcome == "interrupted":
            tell_how_to_resume(context, settings)
        done, diverged = len(history.loss), isinstance(error, Diverged)
        record = in_json(settings, optimizer, net.dtype, seed, iterations)
        content: dict[str, Any] = {
            "settings": record,
            "data": data.source,
            "outcome": outcome,
            "history": vars(history),
        }
        content |= {"ranks": communicator.size, "resumed_at": history.resumed_at}
        write_json(settings.json_file, "train", choice, **content)
        if not diverged:
            attempt("--save", settings.save, net.save)
        short = f"{network} after {counted(done, 'iteration')} on {size:,} {data.images}"
        if history.best_iteration is not None:
            short += f", weights of iteration {history.best_iteration:,}"
        rate = f"learning rate {optimizer.learning_rate:g}, batches of {settings.batch_size:,}"
        title = [short, inside, beside, f"{rate}, {net.dtype}, seed {seed}"]
        _draw(settings, net, before, data, history, [line for line in title if line])
    summarize(history, settings, seed, data.source, net.backend, say, diverged)
    if diverged:
        unsaved = f"; {settings.save} is not written" if settings.save else ""
        click.echo(f"backprop {error}{unsaved}", err=True)
        return 1
    if error is not None:
        raise error
    return 0


def _draw(
    settings: Settings,
    net: Network,
    before: Mapping[str, Array],
    data: Data,
    history: History,
    title: list[str],
) -> None:
    """Draw the pictures that are asked for.  before: the parameters before training."""
    x, t = data.test
    of_the_test_set = f"{title[0]}: the test set"
    attempt("--plot", settings.plot, lambda file: history.plot(file, title=title))
    attempt(
        "--plot-mistakes",
        settings.plot_mistakes,
        lambda file: plots.plot_mistakes(net, x, t, file, title=of_the_test_set, classes=data.classes),
    )
    has_filters = any(len(array.shape) == 4 for array in before.values())
    draw = partial(plots.plot_filters, before) if has_filters else plots.plot_weights
    attempt("--plot-weights", settings.plot_weights, lambda file: draw(net, file, title=title[0]))


def _require_consistent(context: click.Context, settings: Settings) -> None:
    """Raise click.UsageError for options that contradict each other, whatever the data."""
    if settings.iterations is not None and settings.epochs is not None:
        raise click.UsageError("give --iterations or --epochs, not both", context)
    if settings.data == "sample" and settings.data_dir is not None:
        raise click.UsageError("--data-dir has no effect with --data sample", context)
    require_consistent(context, settings)
    if settings.sync_batch_norm and not settings.batch_norm:
        raise click.UsageError("--sync-batch-norm has no effect without --batch-norm", context)
    with usage_errors():
        size = launched().size
    if settings.processes is not None and size not in (1, settings.processes):
        rule = f"--processes must be omitted where a launcher has started {size} processes"
        raise click.UsageError(f"{rule}, got {settings.processes}", context)
    if (settings.processes or 1) > 1 and os.environ.get(VARIABLE) == "alone":
        raise BeyondHelp(f"--processes {settings.processes} has no effect with {VARIABLE}=alone", context)
    if settings.batch_norm and settings.batch_size == 1:
        raise click.UsageError("--batch-norm needs a --batch-size of at least 2, got 1", context)


def _sizes(context: click.Context, settings: Settings, size: int) -> tuple[int, int]:
    """Return the images to train on and those held out; raise click.UsageError if they are too few."""
    share = settings.held_out
    held = 0 if share is None else round(share * size)
    if share is not None and not 0 < held < size:
        rule = "--validation must hold out at least one image and leave one to train on"
        raise BeyondHelp(f"{rule}, got {share:g} of {size:,}", context)
    if settings.shuffle == "epochs" and settings.batch_size > size - held:
        rule = f"--batch-size must be at most {size - held:,}, the training images, with --shuffle epochs"
        raise BeyondHelp(f"{rule}, got {settings.batch_size:,}", context)
    return size - held, held
