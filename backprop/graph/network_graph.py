"""A network as a picture: its layers with shapes and parameters, and how large everything is on a batch."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from backends import describe, to_numpy
from backprop.arrays.checks import positive_integer
from backprop.arrays.copying import copy_as
from backprop.graph.diagram import BOX, INPUT, OUTPUT, Diagram, Edge, Node
from backprop.graph.digits import shown
from backprop.graph.picture import Picture
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks.own_passes import gradient_of

NEEDED = ("layers", "loss_layer", "prepare", "names", "params")


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

    def diagram(self, *, local: bool = False, digits: int = 4) -> Diagram:
        """What there is to draw.  local: with the norm of every parameter's gradient."""
        digits, samples = positive_integer("NetworkGraph", "digits", digits), self.passes[0].shapes[0][0]
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


def network_graph(net: Any, x: Any, t: Any) -> NetworkGraph:
    """Both passes of a network through a batch, on a copy: the network itself is not touched.

    net: a Network.  x, t: as for `net.loss`.
    Raises TypeError for another object, and what `net.loss` raises of x and t.

    >>> from backprop import TwoLayerNet
    >>> network_graph(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])
    <NetworkGraph TwoLayerNet: Affine1, ReLU1, Affine2, SoftmaxCrossEntropy>
    """
    for name in NEEDED:
        if not hasattr(net, name):
            raise TypeError(
                f"network_graph: a network has {', '.join(NEEDED)}, but {describe(net)} has no {name}; "
                "numbers and scalar layers are drawn by `with trace() as graph:`"
            )
    twin = copy_as(net)
    values, targets = twin.prepare("network_graph", x, t)
    passes = []
    for name, layer in twin.layers.items():
        out = layer.forward(values)
        passes.append(_forward(name, layer, values, out.shape))
        values = out
    loss = twin.loss_layer.forward(values, targets)
    passes.append(_forward(type(twin.loss_layer).__name__, twin.loss_layer, values, ()))
    dx = twin.loss_layer.backward(1.0)
    passes[-1].dx_norm = _norm(dx)
    for seen, layer in zip(passes[-2::-1], reversed(twin.layers.values()), strict=True):
        dx = layer.backward(dx)
        seen.dx_norm = _norm(dx)
        gradients = {outer: gradient_of(layer, own) for own, outer in twin.names[seen.name].items()}
        seen.parameters = sum(math.prod(twin.params[outer].shape) for outer in gradients)
        seen.grad_norms = {outer: _norm(gradient) for outer, gradient in gradients.items()}
    unit = "nats" if isinstance(twin.loss_layer, SoftmaxCrossEntropy) else ""
    return NetworkGraph(type(net).__name__, passes, float(loss), unit)


def _forward(name: str, layer: Any, x: Any, out: tuple[int, ...]) -> LayerPass:
    says_nothing = "__repr__" not in {name for base in type(layer).__mro__[:-1] for name in vars(base)}
    kind = type(layer).__name__ if says_nothing else repr(layer)
    return LayerPass(name, kind, (tuple(x.shape), tuple(out)), 0, _norm(x))


def _norm(array: Any) -> float:
    """The Euclidean norm over all entries, summed in float64."""
    host = to_numpy(array).astype("float64")
    return math.sqrt(float((host * host).sum()))


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
