"""A diagram laid out: the room that everything needs, and where it stands."""

from dataclasses import dataclass, field

from backprop.graph.columns import LABEL, Item, columns_of
from backprop.graph.diagram import BOX, BRANCH, CONSTANT, OPERATION, Diagram, Node
from backprop.graph.metrics import ABOVE, BELOW, number_width, word_width
from backprop.graph.placing import place
from backprop.graph.ranks import ranks

NUMBER, WORD, NOTE = 13.0, 15.0, 11.5  # sizes of the texts
SYMBOL, LETTERS = 21.0, 14.0  # sizes of a sign and of a word in an operation
RADIUS, DOT = 18.0, 3.5  # of an operation, and of a branch or a constant
LIFT = 5.0  # between a line and the texts above and below it
GAP = 5.0  # between a name and its line
ROW = 20.0  # from one operand to the next in an operation that shows its local derivatives
LINE = 1.35  # of lines of text that follow each other, in em
PAD = 10.0  # inside a box
MARGIN = 14.0


@dataclass
class Layout:
    """Where everything stands: the items of the nodes, and of each edge.

    ports: how far below its node's middle an edge enters a node that has a row for each operand.
    """

    width: float
    height: float
    nodes: list[Item]
    chains: list[list[Item]]
    ports: dict[int, float] = field(default_factory=dict)


def lay_out(diagram: Diagram, widest: int = 0) -> Layout:
    """Lay a diagram out.  widest: letters for which there must be room wherever a number stands."""
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
    """What the sign of an operation takes: a circle, or more where it is a long word."""
    width = word_width(node.label, LETTERS)
    return 2 * RADIUS if width < 2 * RADIUS else width + 2 * PAD


def is_long(node: Node) -> bool:
    """Whether an operation is drawn as a long box, in which each operand has a place to enter."""
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
