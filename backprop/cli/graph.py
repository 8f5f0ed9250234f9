"""`backprop graph`: a computational graph as a picture, or as a page that plays the passes."""

import difflib
from pathlib import Path
from typing import Any

import click

import backprop
from backends import Backend, use_backend
from backprop.cli.options import backend_option, chosen, json_option, usage_errors, writable, write_json
from backprop.cli.own_file import Fault, OwnFile
from backprop.graph import Graph, graph_of, network_graph
from backprop.graph.book import GRAPHS
from backprop.graph.of_function import run_traced
from backprop.graph.picture import Picture

NETWORK = "two-layer-net"
NAMES = [*GRAPHS, NETWORK]
SUFFIXES = ".svg", ".html", ".mmd", ".dot"
EXAMPLE = "my_graph.py:price"
BATCH = 100


def _drawable(context: click.Context, parameter: click.Parameter, value: Path) -> Path | None:
    """Refuse a file of a kind that is not drawn, or that cannot be written."""
    if value.suffix.lower() not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise click.BadParameter(f"{value}: the name must end in one of {known}.", context, parameter)
    return writable(context, parameter, value)


@click.command()
@click.argument("what", metavar="GRAPH")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    callback=_drawable,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where to draw it: svg (a picture), html (the page), mmd (Mermaid) or dot.",
)
@click.option("--local", is_flag=True, help="Also write the local derivatives into the nodes.")
@click.option(
    "--digits",
    type=click.IntRange(1, 17),
    default=4,
    show_default=True,
    help="Significant digits of a number.",
)
@backend_option
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help=f"Seed of the weights of {NETWORK}.",
)
@json_option
@click.pass_context
def graph(
    context: click.Context,
    what: str,
    output: Path,
    local: bool,
    digits: int,
    backend: str | None,
    seed: int,
    json_file: Path | None,
) -> int:
    """Draw a computational graph with all of its numbers.

    The forward values stand above the edges, the gradients below them.

    \b
    GRAPH is one of the book's graphs, or a function of your own:
      apple           two apples, with tax
      apple-orange    two apples and three oranges, with tax
      sigmoid         1 / (1 + exp(-x))
      softmax-loss    the loss of three scores and a one-hot label
      two-layer-net   the layers of the network, on 100 digits
      FILE.py:NAME    a function over the scalar layers, whose parameters are
                      the inputs; or one that returns a Graph or (network, x, t)

    \b
      backprop graph apple -o apple.svg
      backprop graph my_graph.py:price -o price.html

    The html is one file that plays both passes step by step, and in which the
    inputs can be changed.
    """
    if output == json_file:
        raise click.UsageError("--output and --json must be two files", context)
    choice = chosen(backend)
    with use_backend(choice.backend):
        try:
            text, content = _drawn(what, output.suffix.lower(), local, digits, seed, choice.backend)
        except Fault as fault:
            click.echo(" ".join(f"{context.command_path}: {fault}".split()), err=True)
            return 2
    output.write_text(text, encoding="utf-8")
    settings = {"graph": what, "output": str(output), "local": local, "digits": digits, "seed": seed}
    write_json(json_file, "graph", choice, settings=settings, graph=content)
    click.echo(f"{what} is drawn in {output}")
    return 0


def _drawn(
    what: str, suffix: str, local: bool, digits: int, seed: int, backend: Backend
) -> tuple[str, dict[str, Any]]:
    """The text of the file, and what it shows."""
    if what in GRAPHS:
        return _as(graph_of(GRAPHS[what]), suffix, local, digits)
    if what == NETWORK:
        with usage_errors():
            net = backprop.TwoLayerNet(rng=seed, backend=backend)
        (x, t), _ = backprop.load_mnist_sample()
        return _as(network_graph(net, x[:BATCH], t[:BATCH]), suffix, local, digits)
    if ":" not in what:
        near = difflib.get_close_matches(what, NAMES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise click.UsageError(
            f"GRAPH must be one of {', '.join(NAMES)}, or FILE.py:NAME, got {what!r}{hint}",
            click.get_current_context(),
        )
    file = OwnFile(what, "GRAPH", EXAMPLE)
    with file.loaded() as found:
        return _as(_own_picture(file, found), suffix, local, digits)


def _own_picture(file: OwnFile, found: Any) -> Picture:
    """The picture that a user's object stands for."""
    if callable(found) and not isinstance(found, type) and not _is_network(found):
        graph, found = run_traced(found)
        if graph.operations and not isinstance(found, Picture):
            return graph
    if isinstance(found, Graph) and not found.operations:
        raise file.wrong(f"{file.name}: nothing was recorded; run the layers' forward inside `with trace()`")
    if isinstance(found, Picture):
        return found
    if isinstance(found, tuple) and len(found) == 3 and _is_network(found[0]):
        return network_graph(*found)
    if _is_network(found):
        kind = type(found).__name__
        raise file.wrong(
            f"{kind} is a network and needs samples and labels; name a function that returns all, "
            f"def make(): return {kind}(...), x, t"
        )
    raise file.wrong(
        f"{file.name} must be a function that runs scalar layers, or that returns a Graph or (network, x, t)"
    )


def _is_network(obj: Any) -> bool:
    return hasattr(obj, "layers") and hasattr(obj, "loss")


def _as(picture: Picture, suffix: str, local: bool, digits: int) -> tuple[str, dict[str, Any]]:
    """The picture as the text of a file with this suffix, and what it shows."""
    if suffix == ".html":
        return picture.to_html(digits=digits), picture.to_dict()
    write = {".svg": picture.to_svg, ".mmd": picture.to_mermaid, ".dot": picture.to_dot}[suffix]
    return write(local=local, digits=digits), picture.to_dict()
