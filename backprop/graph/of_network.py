"""A network as a diagram: its layers with shapes and parameter counts, and the norms between them."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from backprop.graph.diagram import BOX, INPUT, OUTPUT, Diagram, Edge, Node
from backprop.graph.digits import shown
from backprop.graph.picture import Picture


@dataclass
class LayerPass:
    """Shapes and norms of both passes through a layer. Norms are Euclidean, over all entries.

    Attributes
    ----------
    name : str
        The name in `net.layers`.
    layer : str
        The repr of the layer, or its class name.
    shapes : tuple of two tuples
        Of input and output.
    parameters : int
        Number of trainable values.
    x_norm, dx_norm : float
        Of the input, and of the gradient with respect to it.
    grad_norms : dict of float
        Of the gradients, by parameter name.
    """

    name: str
    layer: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    parameters: int
    x_norm: float
    dx_norm: float = math.nan
    grad_norms: dict[str, float] = field(default_factory=dict)


class NetworkGraph(Picture):
    """The graph that `network_graph` returns. A notebook draws it.

    Attributes
    ----------
    title : str
        The class name of the network.
    passes : list of LayerPass
        One per layer, the loss last.
    loss : float
        The mean loss of the batch.
    unit : str
        Of the loss: "nats", or "" if unknown.
    """

    def __init__(self, title: str, passes: list[LayerPass], loss: float, unit: str = "") -> None:
        self.title, self.passes, self.loss, self.unit = title, passes, loss, unit

    def _drawn(self, local: bool, digits: int) -> Diagram:
        samples = self.passes[0].shapes[0][0]
        diagram = Diagram(f"{self.title}, norms on a batch of {samples}")
        facts: list[dict[str, Any]] = [{"kind": INPUT, "name": "x", "title": "x"}]
        node = diagram.add(Node(INPUT, "x", title="x"))
        for each in self.passes:
            below, above = shown(each.dx_norm, digits), shown(each.x_norm, digits)
            gradients = _gradient_notes(each, digits) if local else []
            notes = (*_notes(each), *gradients)
            box = diagram.add(Node(BOX, each.name, notes, each.name, len(gradients)))
            diagram.edges.append(Edge(node, box, f"norm {above}", f"norm {below}"))
            facts.append(_in_words(each, above, below, digits))
            node = box
        end = diagram.add(Node(OUTPUT, "loss", title="loss"))
        diagram.edges.append(Edge(node, end, shown(self.loss, digits), "1"))
        facts[-1]["forward"] += f" The mean loss is {shown(self.loss, digits)} {self.unit}".rstrip() + "."
        facts.append({"kind": OUTPUT, "name": "loss", "title": "loss", "seed": 1.0})
        edges = [[edge.source, edge.target] for edge in diagram.edges]
        diagram.facts |= {"nodes": facts, "edges": edges, "digits": digits}
        return diagram

    def to_dict(self) -> dict[str, Any]:
        """Return passes and loss as plain data for JSON."""
        return {"passes": [asdict(each) for each in self.passes], "loss": self.loss}

    def __repr__(self) -> str:
        return f"<NetworkGraph {self.title}: {', '.join(each.name for each in self.passes)}>"


def _notes(seen: LayerPass) -> list[str]:
    inner, outer = ("×".join(map(str, shape[1:])) for shape in seen.shapes)
    notes = [f"{inner} → {outer}" if outer else f"{inner} → loss"]
    if seen.parameters:
        notes.append("1 parameter" if seen.parameters == 1 else f"{seen.parameters:,} parameters")
    return notes


def _gradient_notes(seen: LayerPass, digits: int) -> list[str]:
    return [f"‖d{name}‖ {shown(norm, digits)}" for name, norm in seen.grad_norms.items()]


def _in_words(seen: LayerPass, above: str, below: str, digits: int) -> dict[str, Any]:
    """Return the facts of a layer for the page, with both passes in words."""
    forward = f"The input of {seen.layer} has shape {seen.shapes[0]} and norm {above}."
    forward += f" The output has shape {seen.shapes[1]}." if seen.shapes[1] else ""
    backward = f"The gradient with respect to the input of {seen.name} has norm {below}."
    if seen.grad_norms:
        norms = [f"{shown(norm, digits)} for {name}" for name, norm in seen.grad_norms.items()]
        backward += f" The norms of the parameter gradients are {', '.join(norms)}."
    return {"kind": BOX, "name": seen.name, "title": seen.name, "forward": forward, "backward": backward}
