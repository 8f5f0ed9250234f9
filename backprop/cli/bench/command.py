"""`backprop bench`: how fast the library is on this machine, on every backend that it has."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

import backprop
from backends import Backend, Choice, available_backends, known_backends, load, why_unavailable
from backprop.cli.bench import chart, report
from backprop.cli.bench.gradients import gradients
from backprop.cli.bench.job import job
from backprop.cli.bench.plan import FULL, QUICK, Disagreement, Plan, Row
from backprop.cli.bench.training import random_data, steps
from backprop.cli.blas import describe_blas
from backprop.cli.command import Command
from backprop.cli.options import (
    NO_TF32,
    SEED,
    chosen,
    json_option,
    precision_option,
    versions,
    with_precision,
    write_json,
)
from backprop.cli.outputs import attempt
from backprop.cli.plotting import plot_option, require_matplotlib
from backprop.cli.progress import passing
from backprop.cli.values import OneOf
from backprop.cli.wording import in_options

HELP = """Measure gradients, training steps and a training, in a minute.

\b
gradients   by backpropagation and numerically; they must agree (else exit
            code 1, and nothing more is measured)
steps       of training, for 3 widths and 3 batch sizes, against the rate of
            a large matrix product
training    of the chapter's network on the bundled sample

\b
  backprop bench --quick --plot bench.svg

Backends are timed in turns. A small step takes one BLAS thread, as `backprop
train` does; a large one takes all: OPENBLAS_NUM_THREADS=1 holds it to one.
"""


@click.command(cls=Command, help=HELP)
@click.option(
    "--backend",
    type=OneOf([*known_backends(), "auto"]),
    help="Measure this one alone.  [default: every one that can be used]",
)
@precision_option
@click.option("--quick", is_flag=True, help="Small sizes, in seconds: a trial, no figures to quote.")
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Seed of weights, data and batches.",
)
@plot_option(
    "--plot", "Also draw the time of a training step against its size: png, svg or pdf, with matplotlib."
)
@json_option
@click.pass_context
def bench(
    context: click.Context,
    backend: str | None,
    precision: str,
    quick: bool,
    seed: int,
    plot: Path | None,
    json_file: Path | None,
) -> int:
    """Measure gradients, training steps and a whole training."""
    require_matplotlib(context, {"--plot": plot})
    choice, *others = [chosen(backend)] if backend else _usable()
    backends = [choice.backend, *(other.backend for other in others)]
    precisions = {each.name: with_precision(precision, each) for each in backends}
    if precision not in precisions.values():
        raise click.UsageError(NO_TF32.format(precision=precision, got=", ".join(precisions)), context)
    plan, devices = QUICK if quick else FULL, [report.device(backend) for backend in backends]
    click.echo(report.heading(devices, in_options(choice.why), quick))
    try:
        with backprop.precision(precision):
            content = _measured(plan, backends, seed)
    except Disagreement as disagreement:
        click.echo(f"{context.command_path}: {disagreement}", err=True)
        return 1
    write_json(
        json_file,
        "bench",
        choice,
        settings={"backend": backend, "precision": precision, "seed": seed, "quick": quick, **asdict(plan)},
        precisions=precisions,
        devices={each.name: line for each, line in zip(backends, devices, strict=True)},
        versions={name: version for each in backends for name, version in versions(each).items()},
        blas=describe_blas(),
        **content,
    )
    title = ["Time per training step of 784-hidden-10, float32", *devices]
    attempt("--plot", plot, lambda file: chart.draw(content["steps"], title, file))
    return 0


def _usable() -> list[Choice]:
    """Every backend that can be used; the reason tells of those that cannot."""
    missing = [f"{name}: {error.reason}" for name in known_backends() if (error := why_unavailable(name))]
    why = f"all but {'; '.join(missing)}" if missing else "all backends"
    return [Choice(load(name), why) for name in available_backends()]


def _measured(plan: Plan, backends: Sequence[Backend], seed: int) -> dict[str, list[Row]]:
    """All rows by what they are of; each table is printed as soon as its rows are there."""
    gradient_rows: list[Row] = []
    for sizes in passing(plan.networks, "gradients"):
        gradient_rows += gradients(plan, sizes, backends, seed)
    click.echo(report.of_gradients(gradient_rows))

    step_rows: list[Row] = []
    data = random_data(plan, backends, seed)
    sizes_of_steps = [(hidden, batch) for hidden in plan.hidden for batch in plan.batches]
    for hidden, batch in passing(sizes_of_steps, "training steps"):
        step_rows += steps(plan, hidden, batch, backends, seed, data)
    click.echo(report.of_steps(step_rows, plan.square))

    job_rows: list[Row] = []
    for _ in passing([None], "training"):
        job_rows += job(plan, backends, seed)
    click.echo(report.of_job(job_rows))
    return {"gradients": gradient_rows, "steps": step_rows, "training": job_rows}
