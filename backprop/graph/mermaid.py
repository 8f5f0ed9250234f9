"""The picture as a Mermaid flowchart."""

from backprop.graph.diagram import BRANCH, OPERATION, Diagram, Node

SHAPES = {OPERATION: ("((", "))"), BRANCH: ("((", "))")}


def to_mermaid(diagram: Diagram) -> str:
    """Return a flowchart, with the value and gradient of each edge as "value | gradient".

    It runs from left to right, but downwards for a network of many layers.

    >>> from backprop.graph.diagram import Edge
    >>> x, times = Node("input", "x"), Node("operation", "×")
    >>> print(to_mermaid(Diagram("", [x, times], [Edge(0, 1, "2", "10")])), end="")
    flowchart LR
      n0["x"]
      n1(("×"))
      n0 -- "2 | 10" --> n1
    """
    lines = [f"flowchart {'TB' if diagram.is_deep() else 'LR'}"]
    for i, node in enumerate(diagram.nodes):
        left, right = SHAPES.get(node.kind, ("[", "]"))
        if node.kind == OPERATION and node.notes:
            left, right = "([", "])"  # a circle is too small for them
        lines.append(f'  n{i}{left}"{_quoted(node)}"{right}')
    for edge in diagram.edges:
        text = " | ".join(filter(None, [edge.above, edge.below]))
        label = f' -- "{text}" -->' if text else " -->"
        lines.append(f"  n{edge.source}{label} n{edge.target}")
    return "\n".join(lines) + "\n"


def _quoted(node: Node) -> str:
    """Return the label and the notes, with Mermaid's special characters as entities."""
    text = "\n".join([node.label or " ", *node.notes])
    for sign, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("\n", "<br/>")):
        text = text.replace(sign, entity)
    return text
