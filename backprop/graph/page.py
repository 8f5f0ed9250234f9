"""The page that plays the passes: one file for a browser, which needs no network, library or font."""

import json
from html import escape
from importlib.resources import files
from string import Template

from backprop.graph.diagram import BOX, OUTPUT, Diagram
from backprop.graph.digits import MINUS
from backprop.graph.svg import to_svg

SCRIPTS = "numbers.js", "steps.js", "words.js", "picture.js", "page.js"
OF_NUMBERS = {"above": "forward values", "below": "gradients", "inside": "local derivatives"}
OF_NETWORKS = {
    "above": "norms of what flows forward",
    "below": "norms of its gradients",
    "inside": "shapes, counts of parameters, and norms of their gradients",
}
SPARE = 5  # letters that a number may take besides its digits: "-0.00", "-e-12"


def to_html(diagram: Diagram) -> str:
    """A page in which a reader steps through both passes, and changes the inputs of a graph of numbers.

    A layer of the user's own shows what was recorded, so that the inputs of such a graph are fixed.
    diagram: with local derivatives.  Raises ValueError for numbers that are not finite.
    """
    _require_playable(diagram)
    network = any(node.kind == BOX for node in diagram.nodes)
    svg = to_svg(diagram, 0 if network else diagram.facts["digits"] + SPARE)
    try:
        facts = json.dumps(_with_a_seed(diagram), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise ValueError(
            "to_html: a page plays finite numbers, but a gradient or a local derivative is not; draw it with "
            "to_svg()"
        ) from None
    return Template(_text("page.html")).substitute(
        title=escape(diagram.title),
        **(OF_NETWORKS if network else OF_NUMBERS),
        width=svg.split('width="', 1)[1].split('"', 1)[0],
        css=_text("page.css"),
        svg=svg.strip(),
        facts=facts.replace("<", "\\u003c"),  # no text can end the element that it stands in
        script="\n".join(map(_text, SCRIPTS)),
    )


def _require_playable(diagram: Diagram) -> None:
    for edge in diagram.edges:
        if edge.above.lstrip(MINUS) in ("∞", "nan"):
            source, target = (diagram.nodes[node].title for node in (edge.source, edge.target))
            raise ValueError(
                f"to_html: a page plays finite numbers, but {source} to {target} carries {edge.above}; "
                "draw it with to_svg()"
            )


def _with_a_seed(diagram: Diagram) -> dict[str, object]:
    """The facts of a diagram; a graph without a backward pass gets one, from its last output."""
    nodes = [dict(node) for node in diagram.facts["nodes"]]
    outputs = [node for node in nodes if node["kind"] == OUTPUT]
    if all(node["seed"] is None for node in outputs):
        outputs[-1]["seed"] = 1.0
    return {**diagram.facts, "nodes": nodes}


def _text(name: str) -> str:
    return files(__package__).joinpath("web", name).read_text(encoding="utf-8").strip()
