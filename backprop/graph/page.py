"""The page that plays the passes: one HTML file that loads no library, font or other file."""

import json
from html import escape
from importlib.resources import files
from string import Template

from backprop.graph.diagram import BOX, OUTPUT, Diagram
from backprop.graph.digits import MINUS
from backprop.graph.svg import to_svg

SCRIPTS = "numbers.js", "steps.js", "words.js", "picture.js", "page.js"
LEGEND_OF_NUMBERS = (
    'Above the lines are the <b class="forward">forward values</b>, below them the '
    '<b class="gradient">gradients</b>, and in the nodes the <b class="local">local derivatives</b>.'
)
LEGEND_OF_NETWORKS = (
    'Above the lines are the <b class="forward">norms of the values</b>, below them the '
    '<b class="gradient">norms of their gradients</b>. Each layer shows its shapes, its number of parameters '
    'and the <b class="gradient">norms of the parameter gradients</b>.'
)
SPARE = 5  # letters of a number besides its digits: "-0.00", "-e-12"


def to_html(diagram: Diagram) -> str:
    """Return a page that steps through both passes. The inputs of a graph of numbers can be changed.

    A user's own layer cannot be recomputed in the browser, so the inputs of its graph are fixed.
    diagram: with local derivatives. Raises ValueError if a number is NaN or infinite.
    """
    _require_playable(diagram)
    network = any(node.kind == BOX for node in diagram.nodes)
    svg = to_svg(diagram, 0 if network else diagram.facts["digits"] + SPARE)
    try:
        facts = json.dumps(_with_a_seed(diagram), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise ValueError(
            "to_html: all numbers must be finite, but a gradient or a local derivative is not; draw it with "
            "to_svg()"
        ) from None
    return Template(_text("page.html")).substitute(
        title=escape(diagram.title),
        legend=LEGEND_OF_NETWORKS if network else LEGEND_OF_NUMBERS,
        width=svg.split('width="', 1)[1].split('"', 1)[0],
        css=_text("page.css"),
        svg=svg.strip(),
        facts=facts.replace("<", "\\u003c"),  # so that no text can close the script element
        script="\n".join(map(_text, SCRIPTS)),
    )


def _require_playable(diagram: Diagram) -> None:
    for edge in diagram.edges:
        if edge.above.lstrip(MINUS) in ("∞", "nan"):
            source, target = (diagram.nodes[node].title for node in (edge.source, edge.target))
            raise ValueError(
                f"to_html: all numbers must be finite, but {source} to {target} carries {edge.above}; "
                "draw it with to_svg()"
            )


def _with_a_seed(diagram: Diagram) -> dict[str, object]:
    """Return the facts of a diagram. A graph without a backward pass gets one from its last output."""
    nodes = [dict(node) for node in diagram.facts["nodes"]]
    outputs = [node for node in nodes if node["kind"] == OUTPUT]
    if all(node["seed"] is None for node in outputs):
        outputs[-1]["seed"] = 1.0
    return {**diagram.facts, "nodes": nodes}


def _text(name: str) -> str:
    return files(__package__).joinpath("web", name).read_text(encoding="utf-8").strip()
