"""`backprop check`: the gradient check of chapter 5, of any layer or network, and of a user's own."""

from pathlib import Path
from typing import Any, NamedTuple

import click

import backprop
from backends import Backend, use_backend
from backprop.arrays.initializers import generator
from backprop.cli.check_cases import CASES
from backprop.cli.options import backend_option, chosen, json_option, usage_errors, write_json
from backprop.cli.own_file import Fault
from backprop.cli.own_layer import own_layer, shape_of
from backprop.gradient_check.report import METHODS, MODES, GradientReport
from backprop.reporting.tables import table


class Checked(NamedTuple):
    """A name, what is special about its case, and what the check found."""

    name: str
    what: str
    report: GradientReport


@click.command()
@click.option(
    "--layer",
    metavar="NAME",
    type=click.Choice(list(CASES)),
    help=f"Check one layer or network of this library: {', '.join(CASES)}.",
)
@click.option("--file", metavar="PATH:NAME", help="Check a layer or network of your own, see above.")
@click.option(
    "--shape",
    metavar="N,D",
    callback=shape_of,
    help="Shape of the input for --file.  [default: 5,D with D from the parameters, else 5,3]",
)
@click.option(
    "--constants",
    metavar="NAME",
    multiple=True,
    help="An array of --file that is not trained, such as a mask. May be repeated.",
)
@click.option("--all", "every", is_flag=True, help="Check all layers and networks of this library.")
@click.option(
    "--method",
    type=click.Choice(list(METHODS)),
    default="complex",
    show_default=True,
    help="Complex step or central differences.",
)
@click.option(
    "--mode",
    type=click.Choice(list(MODES)),
    default="full",
    show_default=True,
    help="Every entry, or along a random direction.",
)
@backend_option
@click.option(
    "--seed",
    type=click.IntRange(min=0),
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
    """Compare backpropagation with the numerical gradient.

    Without --layer, --file or --all it checks TwoLayerNet(784, 50, 10) on three
    digits: 39,760 random parameters and the input. All is computed in float64.
    Exits with 1 if any gradient is off.

    A layer of your own is a backprop.layers.Layer with formulas, or any object
    with a forward and a backward pass, under the names that people use for
    them, for parameters and for gradients: see docs/gradient_check.md. Its file
    is loaded as from the root of its repository.

    \b
      backprop check --file my_layer.py:MyLayer
      backprop check --file my_layer.py:MyLayer --shape 8,4

    NAME is a class that takes no arguments, an instance, or a function that
    returns an object or, with inputs of its own, a tuple (object, x, ...).
    """
    if sum([layer is not None, file is not None, every]) > 1:
        raise click.UsageError("give one of --layer, --file and --all, not several", context)
    for option, value in (("--shape", shape), ("--constants", constants)):
        if value and file is None:
            raise click.UsageError(f"{option} has no use without --file", context)
    choice = chosen(backend)
    options: dict[str, Any] = {"method": method, "mode": mode}
    declared = {"constants": constants} if constants else {}
    with use_backend(choice.backend):
        try:
            if file is not None:
                reports = [_of_file(file, shape, seed, choice.backend, options | declared)]
            elif layer is not None or every:
                reports = _of_cases([layer] if layer else list(CASES), seed, choice.backend, options)
            else:
                reports = [_of_digits(seed, choice.backend, options)]
        except Fault as fault:
            click.echo(" ".join(f"{context.command_path}: {fault}".split()), err=True)
            return 2
    content: dict[str, Any]
    if layer is not None or every:
        click.echo(_table(reports) if every else _one_by_one(reports))
        content = {"reports": [{"name": n, "case": what, **each.to_dict()} for n, what, each in reports]}
    else:
        click.echo(reports[0].report)
        content = {"report": reports[0].report.to_dict()}
    settings = {"layer": layer, "file": file, "shape": shape, "all": every, **options, "seed": seed}
    write_json(json_file, "check", choice, settings=settings | declared, **content)
    return 0 if all(report.ok for _, _, report in reports) else 1


# ---------------------------------------------------------------------------------------------- what to check


def _of_digits(seed: int, backend: Backend, options: dict[str, Any]) -> Checked:
    """The network of the chapter on three digits."""
    rng = generator(seed)
    with usage_errors():
        net = backprop.TwoLayerNet(rng=rng, backend=backend)
    (x, t), _ = backprop.load_mnist_sample()
    report = backprop.check_gradients(net, x[:3], t[:3], rng=rng, **options)
    return Checked("TwoLayerNet", "three digits", report)


def _of_file(
    named: str, shape: tuple[int, ...] | None, seed: int, backend: Backend, options: dict[str, Any]
) -> Checked:
    """An object of the user's."""
    rng = generator(seed)
    with own_layer(named, shape, rng, backend) as (obj, *inputs):
        return Checked(named, "", backprop.check_gradients(obj, *inputs, rng=rng, **options))


def _of_cases(names: list[str], seed: int, backend: Backend, options: dict[str, Any]) -> list[Checked]:
    """Every case of these names, each with random numbers of its own that other cases do not change."""
    checked = []
    for name in names:
        for case in CASES[name]:
            rng = generator(seed)
            report = backprop.check_gradients(*case(rng, backend), rng=rng, **options)
            checked.append(Checked(name, case.what, report))
    return checked


# ----------------------------------------------------------------------------------------------- what to show


def _one_by_one(checked: list[Checked]) -> str:
    """Every report in full under its case, and how many agree."""
    reports = [
        f"case {i} of {len(checked)}: {what}\n{report}\n" for i, (_, what, report) in enumerate(checked, 1)
    ]
    return "\n".join([*reports, _verdict(checked, f"{checked[0].name}: all {len(checked)} cases agree")])


def _table(checked: list[Checked]) -> str:
    """A row for each name, the reports in full that disagree, and how many agree."""
    rows = []
    for name in dict.fromkeys(name for name, _, _ in checked):
        reports = [report for of, _, report in checked if of == name]
        arrays = [array for report in reports for array in report.arrays]
        entries = sum(array.entries for array in arrays)
        compared = [array.max_difference / array.limit for array in arrays if array.limit > 0]  # not NaN
        largest = f"{max(compared):.1e}" if compared else "-"
        verdict = "ok" if all(report.ok for report in reports) else "WRONG"
        rows.append([name, len(reports), len(arrays), entries, largest, verdict])
    header = ["subject", "cases", "arrays", "entries", "max |diff| / limit", ""]
    wrong = [f"\n{name}, {what}\n{report}\n" for name, what, report in checked if not report.ok]
    return "\n".join([table(header, rows), *wrong, _verdict(checked, "all gradients agree")])


def _verdict(checked: list[Checked], right: str) -> str:
    wrong = sum(not report.ok for _, _, report in checked)
    return f"{wrong} of {len(checked)} cases disagree" if wrong else right
