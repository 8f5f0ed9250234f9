"""`backprop bench`: measure the speed of the library on this machine, on every usable backend."""

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
from backprop.cli.progress import with_bar
from backprop.cli.values import BeyondHelp, OneOf
from backprop.cli.wording import in_options

HELP = """Measure gradients, training steps and a training run.

\b
gradients   backpropagation and numerical; if they disagree, bench stops with
            exit code 1
steps       training steps for 3 widths and 3 batch sizes, compared with the
            rate of a large matrix product
training    the chapter's network on the bundled sample

\b
  backprop bench --quick --plot bench.svg

Backends are timed in turns. Small steps use one BLAS thread, as in `backprop
train`; large ones use all. OPENBLAS_NUM_THREADS=1 limits them to one.
"""


@click.command(cls=Command, help=HELP)
@click.option(
    "--backend",
    type=OneOf([*known_backends(), "auto"]),
    help="Measure only this one.  [default: every usable one]",
)
@precision_option
@click.option("--quick", is_flag=True, help="Small sizes, in seconds: a trial run, not for quoting.")
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Seed of weights, data and batches.",
)
@plot_option(
    "--plot", "Draw the time of a training step against its size: png, svg or pdf; needs matplotlib."
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
    """Measure gradients, training steps and a whole training run."""
    require_matplotlib(context, {"--plot": plot})
    choice, *others = [chosen(backend)] if backend else _usable()
    backends = [choice.backend, *(other.backend for other in others)]
    precisions = {each.name: with_precision(precision, each) for each in backends}
    if precision not in precisions.values():
        raise BeyondHelp(NO_TF32.format(precision=precision, got=", ".join(precisions)), context)
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
    """Return every usable backend; the reason names them, and says why the others are missing."""
    missing = [f"{name}: {error.reason}" for name in known_backends() if (error := why_unavailable(name))]
    why = ", ".join(available_backends()) + (f" ({'; '.join(missing)})" if missing else "")
    return [Choice(load(name), why) for name in available_backends()]


def _measured(plan: Plan, backends: Sequence[Backend], seed: int) -> dict[str, list[Row]]:
    """Measure everything and return the rows by table; print each table as soon as it is complete."""
    gradient_rows: list[Row] = []
    for sizes in with_bar(plan.networks, "gradients"):
        gradient_rows += gradients(plan, sizes, backends, seed)
    click.echo(report.gradients_table(gradient_rows))

    step_rows: list[Row] = []
    data = random_data(plan, backends, seed)
    sizes_of_steps = [(hidden, batch) for hidden in plan.hidden for batch in plan.batches]
    for hidden, batch in with_bar(sizes_of_steps, "training steps"):
        step_rows += steps(plan, hidden, batch, backends, seed, data)
    click.echo(report.steps_table(step_rows, plan.square))

    job_rows: list[Row] = []
    for _ in with_bar([None], "training"):
        job_rows += job(plan, backends, seed)
    click.echo(report.job_table(job_rows))
    return {"gradients": gradient_rows, "steps": step_rows, "training": job_rows}
