"""The picture in the DOT language of Graphviz."""

from backprop.graph.diagram import BOX, BRANCH, CONSTANT, OPERATION, Diagram

SHAPES = {OPERATION: "circle", BRANCH: "point", CONSTANT: "point", BOX: "box"}


def to_dot(diagram: Diagram) -> str:
    """Return a digraph, with the gradient of each edge in colour below its value.

    It runs from left to right, but downwards for a network of many layers.

    >>> from backprop.graph.diagram import Edge, Node
    >>> x, times = Node("input", "x"), Node("operation", "×")
    >>> print(to_dot(Diagram("", [x, times], [Edge(0, 1, "2", "10")])), end="")
    digraph {
      rankdir=LR
      n0 [label="x" shape=plaintext]
      n1 [label="×" shape=circle]
      n0 -> n1 [label=<2<br/><font color="#b3261e">10</font>>]
    }
    """
    lines = ["digraph {", f"  rankdir={'TB' if diagram.is_deep() else 'LR'}"]
    for i, node in enumerate(diagram.nodes):
        text = "\n".join([node.label, *node.notes])
        for sign, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
            text = text.replace(sign, escaped)
        lines.append(f'  n{i} [label="{text}" shape={SHAPES.get(node.kind, "plaintext")}]')
    for edge in diagram.edges:
        below = f'<font color="#b3261e">{edge.below}</font>' if edge.below else ""
        label = "<br/>".join(filter(None, [edge.above, below]))
        lines.append(f"  n{edge.source} -> n{edge.target}" + (f" [label=<{label}>]" if label else ""))
    return "\n".join([*lines, "}"]) + "\n"
