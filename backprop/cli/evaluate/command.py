"""`backprop evaluate`: measure a trained network on MNIST."""

from pathlib import Path

import click

from backends import to_numpy
from backprop.cli.command import Command
from backprop.cli.data import data_dir_option, data_option, load_data
from backprop.cli.evaluate.confusion import confusion, figures, figures_table, matrix_table
from backprop.cli.options import backend_option, chosen, json_option, usage_errors, write_json
from backprop.cli.trained import (
    described,
    load_network,
    network_argument,
    require_classifier,
    without_overflow_warnings,
)
from backprop.cli.values import OneOf

HELP = """Measure a trained network, with a confusion matrix.

\b
  backprop train --save net.safetensors
  backprop evaluate net.safetensors
"""


@click.command(cls=Command, help=HELP)
@network_argument
@data_option
@data_dir_option
@click.option(
    "--set",
    "part",
    type=OneOf(["test", "train"]),
    default="test",
    show_default=True,
    help="Images to measure.",
)
@backend_option
@json_option
@click.pass_context
def evaluate(
    context: click.Context,
    file: Path,
    data: str,
    data_dir: str | None,
    part: str,
    backend: str | None,
    json_file: Path | None,
) -> None:
    """Measure a trained network, with a confusion matrix."""
    if data == "sample" and data_dir is not None:
        raise click.UsageError("--data-dir has no effect with --data sample", context)
    choice = chosen(backend)
    net = load_network(file, choice)
    require_classifier(context, file, net)
    found = load_data(context, data, data_dir)
    x, t = found.train if part == "train" else found.test
    with usage_errors(), without_overflow_warnings():
        loss, predicted = float(net.loss(x, t)), to_numpy(net.predict_labels(x)).tolist()
    labels = t.tolist()
    matrix = confusion(labels, predicted, net.output_size)
    classes = figures(matrix, found.classes)
    accuracy = sum(row[label] for label, row in enumerate(matrix)) / len(labels)
    kind = "test" if part == "test" else "training"
    click.echo(f"network: {described(file, net)}")
    click.echo(f"data: {found.source}: {len(labels):,} {kind} images")
    click.echo(f"accuracy {accuracy:.4f}, loss {loss:.4f}\n")
    click.echo("confusion matrix: true classes in rows, predicted ones in columns")
    click.echo(f"{matrix_table(matrix, found.classes)}\n")
    click.echo(figures_table(classes))
    write_json(
        json_file,
        "evaluate",
        choice,
        settings={"file": str(file), "data": data, "data_dir": data_dir, "set": part},
        data=found.source,
        accuracy=accuracy,
        loss=loss,
        confusion=matrix,
        classes=[each._asdict() for each in classes],
    )
