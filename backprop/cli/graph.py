"""`backprop graph`: draw a computational graph as a picture, or as a page that plays the passes."""

from pathlib import Path

import click
from click.core import ParameterSource

from backends import use_backend
from backprop.cli.command import Command
from backprop.cli.drawing import NETWORK, PAGES, SUFFIXES, render
from backprop.cli.options import SEED, backend_option, chosen, json_option, write_json
from backprop.cli.outputs import STANDARD_OUTPUT, OutputFile, attempt, write
from backprop.cli.values import Whole
from backprop.graph.book import GRAPHS
from backprop.graph.picture import MOST_DIGITS

HELP = """Draw a computational graph with all its numbers.

Forward values stand above the edges, gradients below them.

\b
GRAPH is one of the book's graphs, or a function of your own:
  apple           two apples, with tax
  apple-orange    two apples and three oranges, with tax
  sigmoid         1 / (1 + exp(-x))
  softmax-loss    the loss of three scores and a one-hot label
  two-layer-net   the layers of the network, on 100 digits
  FILE.py:NAME    a function of scalar layers, whose parameters are the
                  inputs, or one that returns a Graph or (network, x, t)

\b
  backprop graph apple -o apple.svg
  backprop graph my_graph.py:price -o price.html

The html page is a single file. It plays both passes step by step, and its
inputs can be edited.
"""


@click.command(cls=Command, help=HELP)
@click.argument("what", metavar="GRAPH")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=OutputFile(SUFFIXES),
    help="File to write: svg (picture), html (page), mmd (Mermaid) or dot; - prints svg to stdout.",
)
@click.option("--local", is_flag=True, help="Write the local derivatives into the nodes.")
@click.option(
    "--digits",
    type=Whole(1, MOST_DIGITS),
    default=4,
    show_default=True,
    help="Significant digits of the numbers.",
)
@backend_option
@click.option(
    "--seed",
    type=SEED,
    default=0,
    show_default=True,
    help=f"Seed of the weights of {NETWORK}.",
)
@json_option
@click.pass_context
def graph(
    context: click.Context,
    what: str,
    output: Path | None,
    local: bool,
    digits: int,
    backend: str | None,
    seed: int,
    json_file: Path | None,
) -> int:
    """Draw a computational graph with all its numbers."""
    if output is None:
        raise click.UsageError(
            "--output is missing; name a file, as in -o apple.svg, or print with -o -", context
        )
    name = ".svg" if output == STANDARD_OUTPUT else output.name.lower()
    suffix = next(each for each in SUFFIXES if name.endswith(each))
    _refuse_options_without_effect(context, what, suffix)
    choice = chosen(backend)
    with use_backend(choice.backend):
        text, content = render(what, suffix, local, digits, seed, choice.backend)
    written = attempt("--output", output, lambda file: write(file, text))
    settings = {"graph": what, "output": str(output), "local": local, "digits": digits, "seed": seed}
    write_json(json_file, "graph", choice, settings=settings, graph=content)
    if written and output != STANDARD_OUTPUT:
        click.echo(f"{what}: written to {output}")
    return 0


def _refuse_options_without_effect(context: click.Context, what: str, suffix: str) -> None:
    """Raise UsageError for an option that does not affect this graph in this format."""
    unused = {
        "seed": what != NETWORK and f"without {NETWORK}",
        "backend": what in GRAPHS and f"with {what}, a graph of single numbers",
        "local": suffix in PAGES and "with html, which shows the local derivatives",
    }
    for name, why in unused.items():
        if why and context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} has no effect {why}", context)
