"""A computational graph of numbers, as it was recorded: its values, its operations, and its gradients."""

from typing import Any

from backprop.arrays.checks import positive_integer
from backprop.graph.diagram import Diagram
from backprop.graph.of_values import diagram_of
from backprop.graph.picture import Picture
from backprop.graph.recording import Recording
from backprop.graph.records import INPUT, RESULT, Value, arriving, uses


class Graph(Recording, Picture):
    """What `trace` records. It draws itself: in a notebook, as `to_svg()`, `to_mermaid()` and `to_dot()`.

    values: every number in it, inputs and results, in the order in which they came.
    operations: every forward of a layer, likewise.
    """

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

    def gradient(self, of: Value | str) -> float | None:
        """The gradient with respect to a value: that its layer's backward was given, or the sum of what came.

        None where no backward has reached it.  of: a value, or the name of one.
        """
        value = self[of] if isinstance(of, str) else self.require_own("Graph.gradient", of)
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
            end = self[output] if isinstance(output, str) else self.require_own("Graph.backward", output)
            if end.kind != RESULT:
                raise ValueError(f"Graph.backward: output must be a result, got the {end.kind} {end!r}")
        for operation in self.operations:
            operation.dout = operation.gradients = None
        used = uses(self.operations)
        for operation in reversed(self.operations):
            total = arriving(used.get(id(operation.out), ()))
            if operation.out is end:
                total = float(dout) + (total or 0.0)
            if total is not None:
                operation.dout, operation.gradients = total, operation.backward(total)

    def diagram(self, *, local: bool = False, digits: int = 4) -> Diagram:
        """What there is to draw.  local: with local derivatives.  digits: significant ones of a number."""
        self.require_output("Graph")
        return diagram_of(self, local, positive_integer("Graph", "digits", digits))

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
                "gradients": operation.gradients and list(operation.gradients),
            }
            for operation in self.operations
        ]
        return {"values": values, "operations": operations}

    def __repr__(self) -> str:
        inputs = ", ".join(f"{v.name or '?'}={float(v):.4g}" for v in self.values if v.kind == INPUT)
        return f"<Graph {inputs}; {len(self.operations)} operations>"
