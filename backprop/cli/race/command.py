"""`backprop race`: train a two-layer network to 97 or 98 % on MNIST, as fast as possible."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import click

from backprop.cli.blas import blas_threads, threads_in_force
from backprop.cli.command import Command
from backprop.cli.data import SAMPLE, Data, data_dir_option, load_data
from backprop.cli.interruptions import mark_caught
from backprop.cli.options import SEED, backend_option, chosen, json_option, write_json
from backprop.cli.outputs import attempt
from backprop.cli.plotting import plot_option, require_matplotlib
from backprop.cli.progress import say_nothing
from backprop.cli.race import picture, report
from backprop.cli.race.result import Result
from backprop.cli.values import BeyondHelp, OneOf, Whole
from backprop.cli.wording import counted
from backprop.data.reading import VARIABLE
from backprop.race.recipes import TARGETS, Recipe, recipe_for
from backprop.race.runs import PIXELS, Finish, Race
from backprop.training import Diverged

HELP = """Train to 97 or 98 % on MNIST as fast as possible.

The network has one hidden layer, and its settings are fixed: Nesterov's
momentum, a learning rate that rises and falls once, standardized pixels.
Exits with 1 if the mean test accuracy misses the target.

The seconds of a run begin when its first batch is drawn and end with its final
weights. Loading, a warm-up and the evaluation are shown apart.

\b
  backprop race --seeds 5
  backprop race --to 98 --plot race.svg
"""
Say = Callable[[str], None]


@click.command(cls=Command, help=HELP)
@click.option(
    "--to",
    "target",
    type=OneOf([str(target) for target in TARGETS]),
    default=str(TARGETS[0]),
    show_default=True,
    help="Target: mean test accuracy in percent.",
)
@click.option(
    "--seeds", "count", type=Whole(1, 10**6), default=20, show_default=True, help="Number of seeds."
)
@click.option(
    "--seed", type=SEED, help="The first seed; the others follow it.  [default: a fresh one, printed]"
)
@click.option(
    "--data",
    type=OneOf(["mnist", "sample"]),
    default="mnist",
    show_default=True,
    help="sample is a trial on the bundled sample, without a verdict.",
)
@data_dir_option
@backend_option
@plot_option("--plot", "Plot accuracy over seconds, a point per seed: png, svg or pdf; needs matplotlib.")
@json_option
@click.option("--quiet", "-q", is_flag=True, help="Print only the last line: the verdict.")
@click.pass_context
def race(
    context: click.Context,
    target: str,
    count: int,
    seed: int | None,
    data: str,
    data_dir: str | None,
    backend: str | None,
    plot: Path | None,
    json_file: Path | None,
    quiet: bool,
) -> int:
    """Train to an accuracy on MNIST as fast as possible, seed after seed."""
    if data == "sample" and data_dir is not None:
        raise click.UsageError("--data-dir has no effect with --data sample", context)
    require_matplotlib(context, {"--plot": plot})
    choice = chosen(backend)
    recipe = recipe_for(int(target), choice.backend.on_host)
    first = secrets.randbits(32) if seed is None else seed
    seeds = range(first, first + count)
    say: Say = say_nothing if quiet else click.echo
    say(f"backend: {choice.backend.name} on {choice.backend.device()}, {choice.why}")
    begun = time.perf_counter()
    found = load_data(context, data, data_dir)
    _describe(context, found, data_dir, recipe, say)
    runs = Race(recipe, found.train, found.test, choice.backend)
    loaded = time.perf_counter()
    runs.warm_up()
    warm = time.perf_counter()
    say(f"before: loading {loaded - begun:.2f} s, warm-up {warm - loaded:.2f} s")

    try:
        finishes, outcome, error = _run(runs, seeds, say)
    except Diverged as diverged:
        return _report_divergence(context, diverged)
    result = Result(int(target), seeds, finishes, outcome, found.is_mnist)
    write_json(
        json_file,
        "race",
        choice,
        settings={"to": int(target), "seeds": count, "seed": first, "data": data, "data_dir": data_dir},
        recipe=asdict(recipe),
        data=found.source,
        loop=runs.trainer.run.how,
        blas_threads=_threads(runs),
        loading_seconds=loaded - begun,
        warmup_seconds=warm - loaded,
        **result.to_dict(),
    )
    short = f"784-{recipe.hidden}-10 after {recipe.steps:,} steps on {len(found.train[0]):,} {found.images}"
    how = f"{choice.backend.name}, {counted(len(finishes), 'seed')} from {first}"
    attempt("--plot", plot, lambda file: picture.draw(result, [short, how], file))
    say(report.summary(result, _threads(runs)))
    click.echo(report.verdict(result))
    if isinstance(error, Diverged):
        return _report_divergence(context, error)
    if error is not None:
        raise error
    return 1 if result.is_reached is False else 0


def _report_divergence(context: click.Context, error: Diverged) -> int:
    click.echo(f"{context.command_path}: {error}".replace("race: train:", "race:"), err=True)
    return 1


def _describe(context: click.Context, found: Data, data_dir: str | None, recipe: Recipe, say: Say) -> None:
    """Print what the data are and what is done with them.

    Raises BeyondHelp if there are too few images for a batch.
    """
    train, test = len(found.train[0]), len(found.test[0])
    origin = "--data sample" if found.source == SAMPLE else "--data-dir" if data_dir else VARIABLE
    say(f"data: {found.source}: {train:,} training and {test:,} test images")
    if train < recipe.batch_size:
        rule = f"a batch needs {recipe.batch_size} training images, got {train:,}"
        raise BeyondHelp(f"{origin}: {rule}; omit it to download MNIST", context)
    if not found.is_mnist:
        say(f"a trial without a verdict, which needs MNIST: omit {origin} to train on it")
    say(report.recipe_line(recipe))


class Ending(NamedTuple):
    """The runs that are done, the outcome of the race, and the exception that ended it."""

    finishes: list[Finish]
    outcome: str
    error: BaseException | None = None


def _run(runs: Race, seeds: Sequence[int], say: Say) -> Ending:
    """Run all seeds, printing a line for each. Before the first is done, an exception is raised."""
    finishes: list[Finish] = []
    try:
        say(report.heads(seeds))
        for seed in seeds:
            finishes.append(runs.run(seed))
            say(report.row(finishes[-1], seeds))
        return Ending(finishes, "done")
    except (Diverged, KeyboardInterrupt, OSError) as error:  # an OSError: a line could not be printed
        if not finishes:
            raise
        mark_caught()
        return Ending(finishes, "diverged" if isinstance(error, Diverged) else "interrupted", error)


def _threads(runs: Race) -> int | None:
    """Return the threads of BLAS that the runs use; None on a device, or if they are unknown."""
    if not runs.backend.on_host:
        return None
    with blas_threads(runs.recipe.batch_size * PIXELS * runs.recipe.hidden):
        return threads_in_force()
