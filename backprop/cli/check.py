"""`backprop check`: the gradient check of chapter 5, for the library's layers and for a user's own."""

from pathlib import Path
from typing import Any

import click

import backprop
from backends import Backend, use_backend
from backprop.arrays.initializers import generator
from backprop.cli.check_cases import CASES
from backprop.cli.check_report import Checked, as_table, one_by_one
from backprop.cli.command import Command
from backprop.cli.options import SEED, backend_option, chosen, json_option, usage_errors, write_json
from backprop.cli.own_layer import own_layer
from backprop.cli.values import OneOf, Shape
from backprop.gradient_check.report import METHODS, MODES

MAX_NUMBERS = 1_000_000  # in the input of --file; a full check runs the object once for each


HELP = """Compare backpropagation with the numerical gradient.

Without --layer, --file or --all it checks TwoLayerNet(784, 50, 10) on three
digits: 39,760 random parameters and the input. Everything is computed in
float64. Exits with 1 if any gradient is wrong.

Your own layer is a backprop.layers.Layer with formulas, or any object with a
forward and a backward pass. Common names of passes, parameters and gradients
are recognized: see docs/guides/gradient_check.md. Imports of its file are
resolved as from the root of its repository.

\b
  backprop check --file my_layer.py:MyLayer
  backprop check --file my_layer.py:MyLayer --shape 8,4

NAME is a class that takes no arguments, an instance, or a function that
returns an object or, to choose the inputs, a tuple (object, x, ...).
"""


@click.command(cls=Command, help=HELP)
@click.option(
    "--layer",
    metavar="NAME",
    type=OneOf(CASES),
    help=f"Check one layer or network of this library: {', '.join(CASES)}.",
)
@click.option("--file", metavar="PATH:NAME", help="Check your own layer or network, see above.")
@click.option(
    "--shape",
    type=Shape(most=MAX_NUMBERS),
    help="Shape of the input for --file.  [default: 5,D with D from the parameters, else 5,3]",
)
@click.option(
    "--constants",
    metavar="NAME",
    multiple=True,
    help="An array of --file that is not trained, such as a mask; may be repeated.",
)
@click.option("--all", "every", is_flag=True, help="Check all layers and networks of this library.")
@click.option(
    "--method",
    type=OneOf(METHODS),
    default="complex",
    show_default=True,
    help="Complex step or central differences.",
)
@click.option(
    "--mode",
    type=OneOf(MODES),
    default="full",
    show_default=True,
    help="Check along a random direction, or every entry.",
)
@backend_option
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help="Seed of weights, inputs and directions.",
)
@json_option
@click.pass_context
def check(
    context: click.Context,
    layer: str | None,
    file: str | None,
    shape: tuple[int, ...] | None,
    constants: tuple[str, ...],
    every: bool,
    method: str,
    mode: str,
    backend: str | None,
    seed: int,
    json_file: Path | None,
) -> int:
    """Compare backpropagation with the numerical gradient."""
    if sum([layer is not None, file is not None, every]) > 1:
        raise click.UsageError("give only one of --layer, --file and --all", context)
    for option, value in (("--shape", shape), ("--constants", constants)):
        if value and file is None:
            raise click.UsageError(f"{option} has no effect without --file", context)
    choice = chosen(backend)
    options: dict[str, Any] = {"method": method, "mode": mode}
    declared = {"constants": constants} if constants else {}
    with use_backend(choice.backend):
        if file is not None:
            reports = [_check_file(file, shape, seed, choice.backend, options | declared)]
        elif layer is not None or every:
            reports = _check_cases([layer] if layer else list(CASES), seed, choice.backend, options)
        else:
            reports = [_check_digits(seed, choice.backend, options)]
    content: dict[str, Any]
    if layer is not None or every:
        click.echo(as_table(reports) if every else one_by_one(reports))
        content = {"reports": [{"name": n, "case": what, **each.to_dict()} for n, what, each in reports]}
    else:
        click.echo(reports[0].report)
        content = {"report": reports[0].report.to_dict()}
    settings = {"layer": layer, "file": file, "shape": shape, "all": every, **options, "seed": seed}
    write_json(json_file, "check", choice, settings=settings | declared, **content)
    return 0 if all(report.ok for _, _, report in reports) else 1


def _check_digits(seed: int, backend: Backend, options: dict[str, Any]) -> Checked:
    """Check the network of the chapter on three digits."""
    rng = generator(seed)
    with usage_errors():
        net = backprop.TwoLayerNet(rng=rng, backend=backend)
    (x, t), _ = backprop.load_mnist_sample()
    report = backprop.check_gradients(net, x[:3], t[:3], rng=rng, **options)
    return Checked("TwoLayerNet", "three digits", report)


def _check_file(
    named: str, shape: tuple[int, ...] | None, seed: int, backend: Backend, options: dict[str, Any]
) -> Checked:
    """Check an object of the user's."""
    rng = generator(seed)
    with own_layer(named, shape, rng, backend) as (obj, *inputs):
        return Checked(named, "", backprop.check_gradients(obj, *inputs, rng=rng, **options))


def _check_cases(names: list[str], seed: int, backend: Backend, options: dict[str, Any]) -> list[Checked]:
    """Check every case of these names. Each draws from a new generator, so that cases are independent."""
    checked = []
    for name in names:
        for case in CASES[name]:
            rng = generator(seed)
            report = backprop.check_gradients(*case(rng, backend), rng=rng, **options)
            checked.append(Checked(name, case.what, report))
    return checked
