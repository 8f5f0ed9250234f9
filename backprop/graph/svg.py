"""The picture as SVG: the forward value above each edge in black, its gradient below in colour.

All styles are attributes, because a style sheet would restyle the rest of a notebook. The page that plays the
passes finds the parts of an edge or node by `data-edge` and `data-node`.
"""

import math
from collections.abc import Iterator
from html import escape

from backprop.graph.columns import LABEL, Item
from backprop.graph.diagram import BOX, BRANCH, CONSTANT, INPUT, OPERATION, Diagram, Node
from backprop.graph.layout import (
    DOT,
    GAP,
    LETTERS,
    LIFT,
    LINE,
    NOTE,
    NUMBER,
    PAD,
    RADIUS,
    SYMBOL,
    WORD,
    Layout,
    is_long,
    lay_out,
    sign_width,
)
from backprop.graph.lines import brief, line
from backprop.graph.metrics import NUMBERS, WORDS

FORWARD, BACKWARD, LINES, QUIET = "#111111", "#b3261e", "#555555", "#555555"
LOCAL = "#1d4f91"
PAPER, INSIDE = "#ffffff", "#fdf6e3"  # behind everything, and inside the nodes


def to_svg(diagram: Diagram, widest: int = 0) -> str:
    """Return the picture of a diagram.  widest: letters that every number must have room for."""
    laid = lay_out(diagram, widest)
    width, height = math.ceil(laid.width), math.ceil(laid.height)
    lines = [line(diagram, laid, i) for i in range(len(diagram.edges))]
    nodes = list(zip(range(len(laid.nodes)), diagram.nodes, laid.nodes, strict=True))
    title = escape(diagram.title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{title}">',
        f"<title>{title}</title>",
        *([] if widest else [f"<desc>{escape(diagram.describe())}</desc>"]),  # a page has a table
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        f'<g data-show="line" fill="none" stroke="{LINES}" stroke-width="1.3">',
        *(f'<path data-edge="{i}" d="{each.path}"/>' for i, each in enumerate(lines)),
        f'</g><g fill="{LINES}">',
        *(f'<path data-edge="{i}" d="{each.head}"/>' for i, each in enumerate(lines) if each.head),
        f'</g><g fill="{INSIDE}" stroke="{LINES}" stroke-width="1.3">',
        *(shape for i, node, item in nodes if (shape := _shape(i, node, item))),
        *_forks(diagram, laid),
        f'</g><g font-family="{WORDS}" fill="{FORWARD}">',
        *(text for i, node, item in nodes if (text := _label(i, node, item))),
        f'</g><g {_numbers(NOTE)} fill="{QUIET}">',
        *_notes(diagram, laid),
        f'</g><g data-show="forward" {_numbers(NUMBER)} fill="{FORWARD}">',
        *_on_edges(diagram, laid, "above", -LIFT, False),
        f'</g><g data-show="gradient" {_numbers(NUMBER)} fill="{BACKWARD}">',
        *_on_edges(diagram, laid, "below", LIFT + 0.75 * NUMBER, widest > 0),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _numbers(size: float) -> str:
    return f'font-family="{NUMBERS}" font-size="{size:g}" text-anchor="middle"'


def _at(x: float, y: float, of: str = "") -> str:
    """Return a position as attributes.  of: "c" for the centre of a circle."""
    return f'{of}x="{brief(x)}" {of}y="{brief(y)}"'


def _shape(i: int, node: Node, item: Item) -> str:
    title, place = f"<title>{escape(node.title)}</title>", f'data-node="{i}"'
    if node.kind == BOX or is_long(node):
        x, y, height = item.x - item.width / 2, item.y - item.up, item.up + item.down
        size = (
            f'width="{brief(item.width)}" height="{brief(height)}" rx="{8 if node.kind == BOX else RADIUS:g}"'
        )
        return f"<rect {place} {_at(x, y)} {size}>{title}</rect>"
    if node.kind == OPERATION:
        return f'<circle {place} {_at(item.x, item.y, "c")} r="{RADIUS:g}">{title}</circle>'
    if node.kind in (BRANCH, CONSTANT):
        fill = LINES if node.kind == BRANCH else PAPER
        return f'<circle {place} {_at(item.x, item.y, "c")} r="{DOT:g}" fill="{fill}">{title}</circle>'
    return ""


def _forks(diagram: Diagram, laid: Layout) -> list[str]:
    """Return a dot wherever an edge of a branch leaves the line that it shares with others."""
    looks = f'r="{DOT - 1}" fill="{LINES}"'
    dots = [
        f'<circle data-node="{edge.source}" {_at(item.right, item.y, "c")} {looks}/>'
        for edge, chain in zip(diagram.edges, laid.chains, strict=True)
        for item in chain
        if len(item.after) > 1
    ]
    return list(dict.fromkeys(dots))  # a shared line is in the chain of each edge


def _label(i: int, node: Node, item: Item) -> str:
    """Return a name beside its line, a sign in its circle, or the heading of a box."""
    if not node.label:
        return ""
    x, y, size, anchor, more = item.x, item.y + WORD * 0.32, WORD, "middle", ""
    if node.kind == INPUT:
        x, anchor = item.x + item.width / 2 - GAP, "end"
    elif node.kind == OPERATION:
        size = SYMBOL if len(node.label) == 1 else LETTERS
        x, y = item.x + item.width / 2 - sign_width(node) / 2, item.y + size * 0.33
    elif node.kind == BOX:
        y, more = item.y - item.up + PAD + WORD * 0.9, ' font-weight="bold"'
    else:
        x, anchor = item.x - item.width / 2 + GAP, "start"
    return (
        f'<text data-node="{i}" {_at(x, y)} font-size="{size:g}" text-anchor="{anchor}"{more}>'
        f"{escape(node.label)}</text>"
    )


def _notes(diagram: Diagram, laid: Layout) -> Iterator[str]:
    """Yield the lines in a box; in an operation, the local derivatives, each where its operand enters."""
    for i, (node, item) in enumerate(zip(diagram.nodes, laid.nodes, strict=True)):
        for k, note in enumerate(node.notes if node.kind == BOX else ()):
            y = item.y - item.up + PAD + WORD * LINE + NOTE * (0.95 + k * LINE)
            is_late = k >= len(node.notes) - node.known_after_backward
            late = f' data-after="backward" fill="{BACKWARD}"' if is_late else ""
            yield f'<text data-node="{i}" {_at(item.x, y)}{late}>{escape(note)}</text>'
    rows: dict[int, int] = {}
    for i, edge in enumerate(diagram.edges):
        if i in laid.ports and diagram.nodes[edge.target].notes:
            item, row = laid.nodes[edge.target], rows.get(edge.target, 0)
            rows[edge.target] = row + 1
            x, y = item.x - item.width / 2 + PAD, item.y + laid.ports[i] + NOTE * 0.35
            note = escape(diagram.nodes[edge.target].notes[row])
            looks = f'text-anchor="start" fill="{LOCAL}"'
            yield f'<text data-local="{i}" {_at(x, y)} {looks}>{note}</text>'


def _on_edges(diagram: Diagram, laid: Layout, which: str, shift: float, keep_empty: bool) -> Iterator[str]:
    """Yield the texts on one side of the edges.  keep_empty: include those that the page may fill."""
    for i, (edge, chain) in enumerate(zip(diagram.edges, laid.chains, strict=True)):
        text, item = getattr(edge, which), next(item for item in chain if item.kind == LABEL)
        if text or (keep_empty and diagram.nodes[edge.source].kind != CONSTANT):
            yield f'<text data-edge="{i}" {_at(item.x, item.y + shift)}>{escape(text)}</text>'
