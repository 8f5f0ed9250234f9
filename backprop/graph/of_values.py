"""The diagram of a recorded graph: a value that is used twice has a branch, where its gradients are added."""

import re
from typing import TYPE_CHECKING, Any

from backprop.graph.diagram import BRANCH, CONSTANT, INPUT, OPERATION, OUTPUT, Diagram, Edge, Node
from backprop.graph.digits import shown
from backprop.graph.records import Operation, Value, arriving, uses
from backprop.scalar import ScalarLayer

if TYPE_CHECKING:
    from backprop.graph.graph import Graph

SYMBOLS = {
    "AddLayer": "+",
    "DivLayer": "÷",
    "ExpLayer": "exp",
    "LogLayer": "log",
    "MulLayer": "×",
    "ReciprocalLayer": "1/x",
    "SumLayer": "+",
}

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def diagram_of(graph: "Graph", local: bool, digits: int) -> Diagram:
    """What there is to draw of a graph that has operations."""
    return _Drawing(graph, local, digits).diagram


class _Drawing:
    """A diagram in the making: values become nodes in the order in which they came."""

    def __init__(self, graph: "Graph", local: bool, digits: int) -> None:
        self.graph, self.local, self.digits = graph, local, digits
        self.used = uses(graph.operations)
        self.made_by = {id(operation.out): operation for operation in graph.operations}
        self.starts: dict[int, int] = {}  # from where a value goes to its uses: a node, by the value's id
        outputs = ", ".join(value.name for value in graph.outputs if value.name)
        self.diagram = Diagram(f"Computational graph of {outputs}" if outputs else "Computational graph")
        self.facts: list[dict[str, Any]] = []  # of each node, for the page that computes it anew
        for value in graph.values:
            self._add(value)
        edges = [[edge.source, edge.target] for edge in self.diagram.edges]
        self.diagram.facts |= {"nodes": self.facts, "edges": edges, "digits": digits}

    def _add(self, value: Value) -> None:
        operation, uses_of_it = self.made_by.get(id(value)), self.used.get(id(value), [])
        if operation is None and not uses_of_it:
            return  # an input that nothing was computed of
        node = self._operation(operation) if operation else self._input(value)
        if not uses_of_it:
            output = self._node(OUTPUT, value.name, value.name or "the output", seed=self._total(value))
            self._edge(value, node, output, self._total(value))
        if len(uses_of_it) > 1:
            branch = self._node(BRANCH, "", f"branch of {value.name}" if value.name else "branch")
            self._edge(value, node, branch, self._total(value))
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
        ours = isinstance(operation.layer, ScalarLayer)
        symbol = SYMBOLS.get(operation.kind, operation.kind)
        name = operation.out.name
        title = f"{symbol}, which gives {subscripted(name)}" if name else symbol
        notes = _notes(operation, self.digits) if self.local else ()
        node = self._node(
            OPERATION,
            symbol,
            title,
            notes,
            layer=operation.kind if ours else f"{operation.kind} of your own",
            name=subscripted(name),
        )
        for i, operand in enumerate(operation.operands):
            several = len(self.used[id(operand)]) > 1
            gradient = operation.gradients[i] if operation.gradients else None
            if gradient is None and not several:
                gradient = self._total(operand)
            self._edge(operand, self.starts[id(operand)], node, gradient)
        return node

    def _total(self, value: Value) -> float | None:
        """The gradient of a value: what its layer's backward was given, or the sum of what came."""
        operation = self.made_by.get(id(value))
        given = operation.dout if operation else None
        return arriving(self.used.get(id(value), ())) if given is None else given

    def _edge(self, value: Value, source: int, target: int, gradient: float | None) -> None:
        hidden = gradient is None or value.kind == CONSTANT
        below = "" if gradient is None or hidden else shown(gradient, self.digits)
        self.diagram.edges.append(Edge(source, target, shown(value, self.digits), below))


def subscripted(name: str) -> str:
    """A name of one letter and a number as one writes it in a formula.

    >>> subscripted("a1"), subscripted("branch of x12"), subscripted("apple1"), subscripted("the constant 1")
    ('a₁', 'branch of x₁₂', 'apple1', 'the constant 1')
    """
    return re.sub(r"(?<!\w)([^\W\d_])(\d+)$", lambda found: found[1] + found[2].translate(SUBSCRIPTS), name)


def _notes(operation: Operation, digits: int) -> tuple[str, ...]:
    """The local derivatives, a line for each operand."""
    return tuple(f"∂ {shown(derivative, digits)}" for derivative in operation.local_derivatives())
