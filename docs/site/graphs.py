"""The directive `{graph}`: one of the built-in graphs, as the page that plays its passes.

    ```{graph} apple
    ```

The library draws the pages while the site is built; they are separate files, shown in frames.
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import backprop
from backprop.graph import graph_of, network_graph
from backprop.graph.book import GRAPHS

FOLDER = "_graphs"
NETWORK = "two-layer-net"
TITLES = {
    "apple": "Two apples with tax, both passes step by step",
    "apple-orange": "Two apples and three oranges with tax, both passes step by step",
    "sigmoid": "The sigmoid in four operations, both passes step by step",
    "softmax-loss": "Softmax with cross-entropy for three classes, both passes step by step",
    NETWORK: "Both passes of a two-layer network on 100 digits, layer by layer",
}
AROUND = 470  # pixels: heading, legend, buttons, the text of a step, the fields of the inputs
HEIGHT = re.compile(r'<svg[^>]* height="([\d.]+)"')


@cache
def page(name: str) -> str:
    """Return the page of a built-in graph."""
    if name == NETWORK:
        (x, t), _ = backprop.load_mnist_sample()
        return network_graph(backprop.TwoLayerNet(784, 50, 10, rng=0), x[:100], t[:100]).to_html()
    return graph_of(GRAPHS[name]).to_html()


def height(name: str) -> int:
    """Return how many pixels of height the page takes on a wide screen."""
    return AROUND + round(float(HEIGHT.search(page(name))[1]))


class GraphPage(SphinxDirective):
    """A frame with the page of a graph, and a link that opens it alone."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the frame, as HTML."""
        name = self.arguments[0]
        if name not in TITLES:
            raise self.error(f"graph: {name} is none of {', '.join(TITLES)}")
        up = "../" * self.env.docname.count("/")
        url, title = f"{up}{FOLDER}/{name}.html", TITLES[name]
        frame = (
            f'<figure class="graph"><iframe src="{url}" title="{title}" loading="lazy" scrolling="no" '
            f'style="height: {height(name)}px"></iframe>'
            f'<figcaption>{title}. <a href="{url}">Open it alone</a></figcaption></figure>'
        )
        return [nodes.raw("", frame, format="html")]


def write(app: Sphinx) -> None:
    """Write the pages of all graphs into the site."""
    if app.builder.format == "html":
        folder = Path(app.outdir, FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        for name in TITLES:
            (folder / f"{name}.html").write_text(page(name), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register the directive and the writing."""
    app.add_directive("graph", GraphPage)
    app.connect("builder-inited", write)
