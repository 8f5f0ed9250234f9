"""A computational graph of numbers, as it was recorded: its values, its operations, and its gradients."""

from types import CodeType
from typing import Any

from backprop.graph.diagram import Diagram
from backprop.graph.of_values import diagram_of
from backprop.graph.picture import Picture
from backprop.graph.records import CONSTANT, INPUT, RESULT, Operation, Value, arriving, number_of, uses
from backprop.graph.source import Argument, Call


class Graph(Picture):
    """What `trace` records. It draws itself: in a notebook, as `to_svg()`, `to_mermaid()` and `to_dot()`.

    values: every number in it, inputs and results, in the order in which they came.
    operations: every forward of a layer, likewise.
    """

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.operations: list[Operation] = []
        self._found: dict[tuple[CodeType, str, float], Value] = {}

    # ---------------------------------------------------------------------------------- what is in it

    def input(self, name: str, number: Any) -> Value:
        """A named input of the graph: give it to the layers in place of the number."""
        return self._new(number_of("Graph.input", name, number), INPUT, name)

    def constant(self, number: Any) -> Value:
        """A number that is drawn without a name and without a gradient, as 1 in 1 + exp(-x)."""
        return self._new(number_of("Graph.constant", "number", number), CONSTANT)

    def name(self, name: str, value: Value) -> Value:
        """Name a result, the output say; returns it."""
        self._require_own("Graph.name", value)
        value.name = name
        return value

    def __getitem__(self, name: str) -> Value:
        """The value of that name, the last one where there are several."""
        for value in reversed(self.values):
            if value.name == name:
                return value
        known = ", ".join(dict.fromkeys(value.name for value in self.values if value.name))
        raise KeyError(f"Graph: no value is named {name!r} so far; the names are: {known or 'none'}")

    @property
    def outputs(self) -> list[Value]:
        """The results that no operation takes further."""
        used = uses(self.operations)
        return [operation.out for operation in self.operations if id(operation.out) not in used]

    # -------------------------------------------------------------------------------------- gradients

    def gradient(self, of: Value | str) -> float | None:
        """The gradient with respect to a value: that its layer's backward was given, or the sum of what came.

        None where no backward has reached it.  of: a value, or the name of one.
        """
        value = self[of] if isinstance(of, str) else self._require_own("Graph.gradient", of)
        for operation in self.operations:
            if operation.out is value and operation.dout is not None:
                return operation.dout
        return arriving(uses(self.operations).get(id(value), ()))

    def backward(self, dout: float = 1.0, output: Value | str | None = None) -> None:
        """Run every layer's backward, from the last to the first, in place of whatever ran before.

        dout: the gradient at the output.  output: which one, where the graph has several.
        Raises RuntimeError before any forward, ValueError for several outputs and none of them named.
        """
        if output is None:
            (end, *others) = self.require_output("Graph.backward")
            if others:
                names = ", ".join(value.name or f"{value:.4g}" for value in (end, *others))
                raise ValueError(f"Graph.backward: say which output, backward(output=...), of {names}")
        else:
            end = self[output] if isinstance(output, str) else self._require_own("Graph.backward", output)
        for operation in self.operations:
            operation.dout = operation.gradients = None
        used = uses(self.operations)
        for operation in reversed(self.operations):
            total = arriving(used.get(id(operation.out), ()))
            if operation.out is end:
                total = float(dout) + (total or 0.0)
            if total is not None:
                operation.dout, operation.gradients = total, operation.backward(total)

    # -------------------------------------------------------------------------------------- recording

    def operand(self, where: str, number: Any, written: Argument, code: CodeType) -> Value:
        """An argument of a forward as a value of this graph: itself, or an input or constant for it."""
        if isinstance(number, Value):
            return self._require_own(where, number)
        number = number_of(where, written.text or "an operand", number)
        if written.literal:
            return self._new(number, CONSTANT)
        key = code, written.text, number
        if key not in self._found or not written.text:
            self._found[key] = self._new(number, INPUT, written.text)
        return self._found[key]

    def record(self, layer: Any, operands: tuple[Value, ...], out: Any, call: Call) -> Operation:
        """Remember a forward.  layer: one that no other forward will change."""
        operation = Operation(layer, operands, self._new(float(out), RESULT, call.target))
        self.operations.append(operation)
        return operation

    def diagram(self, *, local: bool = False, digits: int = 4) -> Diagram:
        """What there is to draw.  local: with local derivatives.  digits: significant ones of a number."""
        self.require_output("Graph")
        return diagram_of(self, local, digits)

    def _new(self, number: float, kind: str, name: str = "") -> Value:
        value = Value(number)
        value.graph, value.kind, value.name = self, kind, name
        self.values.append(value)
        return value

    def _require_own(self, where: str, value: Value) -> Value:
        if getattr(value, "graph", None) is not self:
            name = f"{value.name} = " if getattr(value, "name", "") else ""
            raise ValueError(
                f"{where}: {name}{value!r} is not a value of this graph; make it anew inside its `with "
                "trace()`, or give float(value) to start from the bare number"
            )
        return value

    def require_output(self, where: str) -> list[Value]:
        """The outputs.  Raises RuntimeError where nothing was recorded."""
        if not self.operations:
            raise RuntimeError(
                f"{where}: nothing was recorded, so there is no output; run the layers' forward inside "
                "`with trace() as graph:`"
            )
        return self.outputs

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON's terms; operands and results by their places among the values."""
        place = {id(value): i for i, value in enumerate(self.values)}
        values = [
            {"name": v.name, "kind": v.kind, "value": float(v), "gradient": self.gradient(v)}
            for v in self.values
        ]
        operations = [
            {
                "layer": operation.kind,
                "operands": [place[id(operand)] for operand in operation.operands],
                "out": place[id(operation.out)],
                "gradients": operation.gradients,
            }
            for operation in self.operations
        ]
        return {"values": values, "operations": operations}

    def __repr__(self) -> str:
        inputs = ", ".join(f"{v.name or '?'}={float(v):.4g}" for v in self.values if v.kind == INPUT)
        return f"<Graph {inputs}; {len(self.operations)} operations>"
