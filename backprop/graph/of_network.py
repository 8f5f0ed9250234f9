"""A network as a picture: its layers with shapes and parameters, and the norms of what flows between them."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from backprop.graph.diagram import BOX, INPUT, OUTPUT, Diagram, Edge, Node
from backprop.graph.digits import shown
from backprop.graph.picture import Picture


@dataclass
class LayerPass:
    """What both passes through a layer showed.

    name, layer: as in `net.layers`.  x_norm: of its input.  shapes: of its input and its output.
    parameters: how many numbers.  dx_norm, grad_norms: of the gradients, grad_norms by parameter name.
    """

    name: str
    layer: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    parameters: int
    x_norm: float
    dx_norm: float = math.nan
    grad_norms: dict[str, float] = field(default_factory=dict)


class NetworkGraph(Picture):
    """What `network_graph` saw: `passes`, one per layer, the loss last, and the mean `loss` in its `unit`."""

    def __init__(self, title: str, passes: list[LayerPass], loss: float, unit: str = "") -> None:
        self.title, self.passes, self.loss, self.unit = title, passes, loss, unit

    def _drawn(self, local: bool, digits: int) -> Diagram:
        samples = self.passes[0].shapes[0][0]
        diagram = Diagram(f"{self.title}, norms on a batch of {samples}")
        facts: list[dict[str, Any]] = [{"kind": INPUT, "name": "x", "title": "x"}]
        node = diagram.add(Node(INPUT, "x", title="x"))
        for each in self.passes:
            below, above = shown(each.dx_norm, digits), shown(each.x_norm, digits)
            box = diagram.add(Node(BOX, each.name, tuple(_notes(each, local, digits)), each.name))
            diagram.edges.append(Edge(node, box, f"norm {above}", f"norm {below}"))
            facts.append(_told(each, above, below, digits))
            node = box
        end = diagram.add(Node(OUTPUT, "loss", title="loss"))
        diagram.edges.append(Edge(node, end, shown(self.loss, digits), "1"))
        facts[-1]["forward"] += f" The mean loss is {shown(self.loss, digits)} {self.unit}".rstrip() + "."
        facts.append({"kind": OUTPUT, "name": "loss", "title": "loss", "seed": 1.0})
        edges = [[edge.source, edge.target] for edge in diagram.edges]
        diagram.facts |= {"nodes": facts, "edges": edges, "digits": digits}
        return diagram

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON's terms."""
        return {"passes": [asdict(each) for each in self.passes], "loss": self.loss}

    def __repr__(self) -> str:
        return f"<NetworkGraph {self.title}: {', '.join(each.name for each in self.passes)}>"


def _notes(seen: LayerPass, local: bool, digits: int) -> list[str]:
    came, went = ("×".join(map(str, shape[1:])) for shape in seen.shapes)
    notes = [f"{came} → {went}" if went else f"{came} → loss"]
    if seen.parameters:
        notes.append(f"{seen.parameters:,} parameters")
    if local:
        notes += [f"‖d{name}‖ {shown(norm, digits)}" for name, norm in seen.grad_norms.items()]
    return notes


def _told(seen: LayerPass, above: str, below: str, digits: int) -> dict[str, Any]:
    """The two passes through a layer in words, for the page."""
    forward = f"{seen.layer} takes {seen.shapes[0]}, of norm {above}"
    forward += f", and gives {seen.shapes[1]}." if seen.shapes[1] else "."
    backward = f"The gradient that {seen.name} passes back has norm {below}."
    if seen.grad_norms:
        norms = [f"{shown(norm, digits)} for {name}" for name, norm in seen.grad_norms.items()]
        backward += f" Those of its parameters: {', '.join(norms)}."
    return {"kind": BOX, "name": seen.name, "title": seen.name, "forward": forward, "backward": backward}
