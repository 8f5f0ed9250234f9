"""The diagram of a recorded graph. A value that is used twice gets a branch, where its gradients add up."""

import re
from typing import TYPE_CHECKING, Any

from backprop.graph.diagram import BRANCH, CONSTANT, INPUT, OPERATION, OUTPUT, Diagram, Edge, Node
from backprop.graph.digits import NONE, shown
from backprop.graph.records import Operation, Value, gradients_of, uses
from backprop.scalar import (
    AddLayer,
    DivLayer,
    ExpLayer,
    LogLayer,
    MulLayer,
    ReciprocalLayer,
    SigmoidLayer,
    SumLayer,
)

if TYPE_CHECKING:
    from backprop.graph.graph import Graph

LAYERS = {  # the symbols of the library's own layers
    AddLayer: "+",
    DivLayer: "÷",
    ExpLayer: "exp",
    LogLayer: "log",
    MulLayer: "×",
    ReciprocalLayer: "1/x",
    SigmoidLayer: "σ",
    SumLayer: "+",
}
SYMBOLS = {
    layer.__name__: symbol for layer, symbol in LAYERS.items()
}  # also for other layers of the same name
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def diagram_of(graph: "Graph", local: bool, digits: int) -> Diagram:
    """Return the diagram of a graph that has operations."""
    return _Drawing(graph, local, digits).diagram


class _Drawing:
    """A diagram under construction: values become nodes in the order in which they were recorded."""

    def __init__(self, graph: "Graph", local: bool, digits: int) -> None:
        self.graph, self.local, self.digits = graph, local, digits
        self.used, self.gradients = uses(graph.operations), gradients_of(graph.values, graph.operations)
        self.made_by = {id(operation.out): operation for operation in graph.operations}
        self.starts: dict[int, int] = {}  # by id of a value, the node from which it goes to its uses
        outputs = ", ".join(value.name for value in graph.outputs if value.name)
        self.diagram = Diagram(f"Computational graph of {outputs}" if outputs else "Computational graph")
        self.facts: list[dict[str, Any]] = []  # of each node, for the page that recomputes it
        for value in graph.values:
            self._add(value)
        edges = [[edge.source, edge.target] for edge in self.diagram.edges]
        self.diagram.facts |= {"nodes": self.facts, "edges": edges, "digits": digits}

    def _add(self, value: Value) -> None:
        operation, uses_of_it = self.made_by.get(id(value)), self.used.get(id(value), [])
        if operation is None and not uses_of_it:
            return  # an unused input
        node = self._operation(operation) if operation else self._input(value)
        gradient = self.gradients[id(value)]
        if not uses_of_it:
            output = self._node(OUTPUT, value.name, value.name or "the output", seed=gradient)
            self._edge(value, node, output, gradient)
        if len(uses_of_it) > 1:
            branch = self._node(BRANCH, "", f"branch of {value.name}" if value.name else "branch")
            self._edge(value, node, branch, gradient)
            node = branch
        self.starts[id(value)] = node

    def _node(self, kind: str, label: str, title: str, notes: tuple[str, ...] = (), **facts: Any) -> int:
        label, title = subscripted(label), subscripted(title)
        self.facts.append({"kind": kind, "name": label, "title": title, **facts})
        return self.diagram.add(Node(kind, label, notes, title))

    def _input(self, value: Value) -> int:
        if value.kind == CONSTANT:
            return self._node(CONSTANT, "", f"the constant {shown(value, self.digits)}", number=float(value))
        return self._node(INPUT, value.name, value.name or "an input", number=float(value))

    def _operation(self, operation: Operation) -> int:
        symbol = SYMBOLS.get(operation.kind, operation.kind)
        name = operation.out.name
        title = f"{symbol}, which gives {subscripted(name)}" if name else symbol
        notes = _notes(operation, self.digits) if self.local else ()
        node = self._node(
            OPERATION,
            symbol,
            title,
            notes,
            layer=operation.kind,
            name=subscripted(name),
            **self._recorded(operation),
        )
        for i, operand in enumerate(operation.operands):
            several = len(self.used[id(operand)]) > 1
            gradient = operation.gradients[i] if operation.gradients else None
            if gradient is None and not several:
                gradient = self.gradients[id(operand)]
            self._edge(operand, self.starts[id(operand)], node, gradient)
        return node

    def _recorded(self, operation: Operation) -> dict[str, Any]:
        """Return the result and local derivatives of a layer that the page cannot compute."""
        if type(operation.layer) in LAYERS or not self.local:
            return {}
        return {"recorded": {"value": float(operation.out), "local": list(operation.local_derivatives())}}

    def _edge(self, value: Value, source: int, target: int, gradient: float | None) -> None:
        below = NONE if gradient is None else shown(gradient, self.digits)
        below = "" if value.kind == CONSTANT else below
        self.diagram.edges.append(Edge(source, target, shown(value, self.digits), below))


def subscripted(name: str) -> str:
    """Return a name that ends in a letter and a number with the number as a subscript.

    >>> subscripted("a1"), subscripted("branch of x12"), subscripted("apple1"), subscripted("the constant 1")
    ('a₁', 'branch of x₁₂', 'apple1', 'the constant 1')
    """
    return re.sub(r"(?<!\w)([^\W\d_])(\d+)$", lambda found: found[1] + found[2].translate(SUBSCRIPTS), name)


def _notes(operation: Operation, digits: int) -> tuple[str, ...]:
    """Return the local derivatives, a line per operand."""
    return tuple(f"∂ {shown(derivative, digits)}" for derivative in operation.local_derivatives())
