"""The files of `backprop graph` as text: a graph of the book, the network, or a user's object."""

from typing import Any

import click

import backprop
from backends import Backend, cut
from backprop.arrays.near import near
from backprop.cli.options import usage_errors
from backprop.cli.own_file import NEEDS_DATA, OwnFile
from backprop.cli.values import typed
from backprop.graph import Graph, graph_of, network_graph
from backprop.graph.book import GRAPHS
from backprop.graph.of_function import run_traced
from backprop.graph.picture import Picture

NETWORK = "two-layer-net"
NAMES = [*GRAPHS, NETWORK]
SUFFIXES = ".svg", ".html", ".htm", ".mmd", ".dot"
PAGES = ".html", ".htm"
EXAMPLE = "my_graph.py:price"
BATCH = 100


def render(
    what: str, suffix: str, local: bool, digits: int, seed: int, backend: Backend
) -> tuple[str, dict[str, Any]]:
    """Return the text of the file, and its content as a dictionary."""
    if what in GRAPHS:
        return _render_as(graph_of(GRAPHS[what]), suffix, local, digits)
    if what == NETWORK:
        with usage_errors():
            net = backprop.TwoLayerNet(rng=seed, backend=backend)
        (x, t), _ = backprop.load_mnist_sample()
        return _render_as(network_graph(net, x[:BATCH], t[:BATCH]), suffix, local, digits)
    if ":" not in what:
        wrong = f"GRAPH must be one of {', '.join(NAMES)}, or FILE.py:NAME, got {typed(what)}"
        if meant := near(what, NAMES):
            wrong = f"there is no graph {typed(what)}; did you mean {meant}?"
        raise click.UsageError(wrong, click.get_current_context())
    file = OwnFile(what, "GRAPH", EXAMPLE)
    with file.loaded() as found:
        return _render_as(_own_picture(file, found), suffix, local, digits)


def _own_picture(file: OwnFile, found: Any) -> Picture:
    """Return the picture of a user's object; raise click.UsageError if it has none."""
    if callable(found) and not isinstance(found, type) and not _is_network(found):
        graph, found = run_traced(found)
        if graph.operations and not isinstance(found, Picture):
            return graph
    if isinstance(found, Graph) and not found.operations:
        raise file.error(f"{file.name}: nothing was recorded; run the layers' forward inside `with trace()`")
    if isinstance(found, Picture):
        return found
    if isinstance(found, tuple) and len(found) == 3 and _is_network(found[0]):
        return network_graph(*found)
    if _is_network(found):
        raise file.error(NEEDS_DATA.format(cut(type(found).__name__, 30)))
    raise file.error(
        f"{file.name} must be a function that runs scalar layers, or that returns a Graph or (network, x, t)"
    )


def _is_network(obj: Any) -> bool:
    return hasattr(obj, "layers") and hasattr(obj, "loss")


def _render_as(picture: Picture, suffix: str, local: bool, digits: int) -> tuple[str, dict[str, Any]]:
    """Return a picture as the text of a file with this suffix, and its content as a dictionary."""
    if suffix in PAGES:
        return picture.to_html(digits=digits), picture.to_dict()
    write = {".svg": picture.to_svg, ".mmd": picture.to_mermaid, ".dot": picture.to_dot}[suffix]
    return write(local=local, digits=digits), picture.to_dict()
