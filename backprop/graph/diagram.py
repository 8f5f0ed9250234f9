"""What a picture shows, whatever it is drawn as: nodes, and edges with a text above and a text below."""

from dataclasses import dataclass, field
from typing import Any

INPUT, CONSTANT, OPERATION, BRANCH, OUTPUT, BOX = "input", "constant", "operation", "branch", "output", "box"


@dataclass(frozen=True)
class Node:
    """A node. kind: one of the names above.

    label: what is written in it, or in its place.  notes: lines below the label (local derivatives; what a
    layer of a network is).  title: what it is, in words.
    """

    kind: str
    label: str = ""
    notes: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Edge:
    """From one node to another, by their places in the list.  above: forward.  below: backward."""

    source: int
    target: int
    above: str = ""
    below: str = ""


@dataclass
class Diagram:
    """Nodes in an order in which every edge leads on, and edges; those into a node in its operands' order.

    facts: what a page needs to compute it anew, see `page.py`.
    """

    title: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, node: Node) -> int:
        """Append a node; returns its place."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def describe(self) -> str:
        """The picture in words, a sentence for each edge."""
        words = []
        for edge in self.edges:
            source, target = self.nodes[edge.source], self.nodes[edge.target]
            gradient = f", gradient {edge.below}" if edge.below else ""
            words.append(f"{source.title} to {target.title}: {edge.above or '-'}{gradient}.")
        return " ".join(words)
