"""`backprop predict`: read pictures of digits with a trained network."""

from pathlib import Path
from typing import Any

import click

from backends import to_numpy
from backprop.cli.command import Command
from backprop.cli.options import backend_option, chosen, json_option, write_json
from backprop.cli.outputs import BROKEN, require_not_written
from backprop.cli.predict.images import Images, read_images, shown
from backprop.cli.trained import (
    load_network,
    network_argument,
    require_classifier,
    without_overflow_warnings,
)
from backprop.data import DataError
from backprop.networks import Network

HELP = """Read pictures of digits with a trained network.

An IMAGE is a PNG, a JPEG or another picture of one digit, or an IDX file of many. A picture is centred and
scaled as MNIST was; --show prints what the network sees.

\b
  backprop train --save net.safetensors
  backprop predict net.safetensors seven.png --show
"""


@click.command(cls=Command, help=HELP)
@network_argument
@click.argument("images", metavar="IMAGE", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--show", is_flag=True, help="Print each image as the network sees it.")
@backend_option
@json_option
@click.pass_context
def predict(
    context: click.Context,
    file: Path,
    images: tuple[Path, ...],
    show: bool,
    backend: str | None,
    json_file: Path | None,
) -> int:
    """Read pictures of digits with a trained network."""
    for image in images:
        require_not_written("IMAGE", image)
    choice = chosen(backend)
    net = load_network(file, choice)
    require_classifier(context, file, net)
    found: list[dict[str, Any]] = []
    failed = False
    for image in images:
        try:
            read = read_images(image)
        except DataError as error:
            click.echo(f"{context.command_path}: {error}", err=True)
            failed = True
            continue
        found += _predicted(net, read, show)
    settings = {"file": str(file), "images": [str(image) for image in images]}
    write_json(json_file, "predict", choice, settings=settings, images=found)
    return BROKEN if failed else 0


def _predicted(net: Network, images: Images, show: bool) -> list[dict[str, Any]]:
    """Print what the network takes each image for, and return it for the JSON."""
    found = []
    with without_overflow_warnings():
        rows = to_numpy(net.predict_proba(images.x)).tolist()
        labels = to_numpy(net.predict_labels(images.x)).tolist()
    for (name, index), pixels, label, probabilities in zip(
        images.names(), images.x, labels, rows, strict=True
    ):
        if show:
            click.echo(shown(pixels))
        others = (each for each in range(len(probabilities)) if each != label)
        second = max(others, key=probabilities.__getitem__)
        click.echo(
            f"{name}: {label} ({probabilities[label]:.1%}), else {second} ({probabilities[second]:.1%})"
        )
        found.append(
            {"file": str(images.file), "index": index, "label": label, "probabilities": probabilities}
        )
    return found
