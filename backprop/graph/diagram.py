"""Nodes, and edges with a text above and a text below: what a picture shows in any format."""

from dataclasses import dataclass, field
from typing import Any

INPUT, CONSTANT, OPERATION, BRANCH, OUTPUT, BOX = "input", "constant", "operation", "branch", "output", "box"
DEEP = 6  # layers that have room beside each other


@dataclass(frozen=True)
class Node:
    """A node of a picture.

    kind: one of the constants above.  label: its text.  notes: lines below the label (local derivatives, or
    shapes and parameter counts of a layer).  title: its description in words.
    known_after_backward: how many of the notes, from the end, only the backward pass brings.
    """

    kind: str
    label: str = ""
    notes: tuple[str, ...] = ()
    title: str = ""
    known_after_backward: int = 0


@dataclass(frozen=True)
class Edge:
    """An edge between two nodes, given by index.  above: the forward text.  below: the gradient."""

    source: int
    target: int
    above: str = ""
    below: str = ""


@dataclass
class Diagram:
    """Nodes in topological order, and edges; the edges into a node are in the order of its operands.

    facts: what the page needs to recompute the graph, see `page.py`.
    """

    title: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, node: Node) -> int:
        """Append a node and return its index."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def is_deep(self) -> bool:
        """Return whether this is a network of so many layers that a text format should draw it downwards."""
        return sum(node.kind == BOX for node in self.nodes) > DEEP

    def describe(self) -> str:
        """Return the picture in words, a sentence per edge."""
        words = []
        for edge in self.edges:
            source, target = self.nodes[edge.source], self.nodes[edge.target]
            gradient = f", gradient {edge.below}" if edge.below else ""
            words.append(f"{source.title} to {target.title}: {edge.above or '-'}{gradient}.")
        return " ".join(words)
