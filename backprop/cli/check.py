"""`backprop check`: the gradient check of chapter 5."""

from pathlib import Path

import click

import backprop
from backprop.cli.options import backend_option, chosen, json_option, usage_errors, write_json
from backprop.gradient_report import METHODS, MODES
from backprop.initializers import generator


@click.command()
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
    help="Every entry, which takes seconds, or along a random direction.",
)
@backend_option
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of weights and directions."
)
@json_option
def check(method: str, mode: str, backend: str | None, seed: int, json_file: Path | None) -> int:
    """Compare backpropagation with the numerical gradient on three digits.

    The network is TwoLayerNet(784, 50, 10) with random weights, its 39,760 parameters and the input in
    float64. Exits with 1 if any gradient is off.
    """
    choice = chosen(backend)
    rng = generator(seed)
    with usage_errors():
        net = backprop.TwoLayerNet(rng=rng, backend=choice.backend)
    (x, t), _ = backprop.load_mnist_sample()
    report = backprop.check_gradients(net, x[:3], t[:3], method=method, mode=mode, rng=rng)
    click.echo(report)
    settings = {"method": method, "mode": mode, "seed": seed}
    write_json(json_file, "check", choice, settings=settings, report=report.to_dict())
    return 0 if report.ok else 1
