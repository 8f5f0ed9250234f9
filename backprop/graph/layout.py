"""The layout of a diagram: the size and the position of everything."""

from dataclasses import dataclass, field

from backprop.graph.columns import LABEL, Item, columns_of
from backprop.graph.diagram import BOX, BRANCH, CONSTANT, OPERATION, Diagram, Node
from backprop.graph.metrics import ABOVE, BELOW, number_width, word_width
from backprop.graph.placing import place
from backprop.graph.ranks import ranks
from backprop.graph.rows import LONGEST, fold, is_chain

NUMBER, WORD, NOTE = 13.0, 15.0, 11.5  # font sizes
SYMBOL, LETTERS = 21.0, 14.0  # font sizes of a sign and of a word in an operation
RADIUS, DOT = 18.0, 3.5  # of an operation, and of a branch or a constant
LIFT = 5.0  # space between a line and the texts above and below it
GAP = 5.0  # space between a name and its line
ROW = 20.0  # distance between operands in an operation that shows local derivatives
LINE = 1.35  # line height, in em
PAD = 10.0  # padding of a box
MARGIN = 14.0


@dataclass
class Layout:
    """The positions of all nodes, and of the items of all edges.

    ports: by edge, the offset below the middle of its target, if that has a row per operand.
    """

    width: float
    height: float
    nodes: list[Item]
    chains: list[list[Item]]
    ports: dict[int, float] = field(default_factory=dict)


def lay_out(diagram: Diagram, widest: int = 0) -> Layout:
    """Return the layout of a diagram.  widest: letters that every number must have room for."""
    items = columns_of(diagram, ranks(diagram))
    for node, item in zip(diagram.nodes, items.nodes, strict=True):
        _size_node(node, item, widest)
    below = any(edge.below for edge in diagram.edges) or widest > 0
    for edge, chain in zip(diagram.edges, items.chains, strict=True):
        for item in chain:
            item.up = item.down = 4.0
            if item.kind == LABEL:
                item.width = max(
                    number_width(text, NUMBER) for text in (edge.above, edge.below, "0" * widest)
                )
                item.up = LIFT + NUMBER * (ABOVE + BELOW)
                item.down = item.up if below else 4.0
    width, height = place(diagram, items.columns, MARGIN)
    if width > LONGEST and is_chain(diagram, items.columns):
        width, height = fold(items.columns, width, MARGIN)
    return Layout(width, height, items.nodes, items.chains, _ports(diagram, items.chains))


def _size_node(node: Node, item: Item, widest: int) -> None:
    notes = [number_width(note, NOTE) for note in node.notes]
    if node.kind == OPERATION:
        room = number_width("∂ " + "0" * widest, NOTE) if widest else 0.0
        item.width = sign_width(node) + (max(*notes, room) + PAD if notes else 0.0)
        operands = len(item.before)
        item.up = item.down = max(RADIUS, operands * ROW / 2 + 3.0 if is_long(node) else 0.0)
    elif node.kind == BOX:
        item.width = max(word_width(node.label, WORD, bold=True), *notes) + 2 * PAD
        item.up = item.down = (WORD * LINE + len(notes) * NOTE * LINE) / 2 + PAD
    elif node.kind in (BRANCH, CONSTANT):
        item.width, item.up, item.down = 2 * DOT, DOT, DOT
    else:
        item.width = word_width(node.label, WORD) + (2 * GAP if node.label else 0.0)
        item.up = item.down = WORD * (ABOVE + BELOW) / 2


def sign_width(node: Node) -> float:
    """Return the width of an operation's sign: a circle, or more for a long word or one beside its notes."""
    width = word_width(node.label, LETTERS)
    is_in_circle = width < 2 * RADIUS and not (node.notes and len(node.label) > 1)
    return 2 * RADIUS if is_in_circle else width + 2 * PAD


def is_long(node: Node) -> bool:
    """Return whether an operation is drawn as a long box, with a place for each operand to enter."""
    return node.kind == OPERATION and (bool(node.notes) or sign_width(node) > 2 * RADIUS)


def _ports(diagram: Diagram, chains: list[list[Item]]) -> dict[int, float]:
    entering: dict[int, list[int]] = {}
    for i, edge in enumerate(diagram.edges):
        if is_long(diagram.nodes[edge.target]):
            entering.setdefault(edge.target, []).append(i)
    ports = {}
    for edges in entering.values():
        edges.sort(key=lambda i: chains[i][-1].y)
        for row, i in enumerate(edges):
            ports[i] = (row - (len(edges) - 1) / 2) * ROW
    return ports
