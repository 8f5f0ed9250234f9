"""A computational graph of numbers, as it was recorded: its values, its operations, and its gradients."""

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any

from backends import cut, shown
from backprop.arrays.checks import NO_NUMBERS
from backprop.graph.diagram import Diagram
from backprop.graph.of_values import diagram_of
from backprop.graph.picture import Picture
from backprop.graph.recording import Recording
from backprop.graph.records import INPUT, RESULT, Value, arriving, gradients_of, labelled, number_of, uses


class Graph(Recording, Picture):
    """What `trace` records. It draws itself: in a notebook, as `to_svg()`, `to_mermaid()` and `to_dot()`.

    values: every number in it, inputs and results, in the order in which they came.
    operations: every forward of a layer, likewise.
    """

    def __getitem__(self, name: str) -> Value:
        """The value of that name, the last one where there are several."""
        named = [value for value in self.values if isinstance(name, str) and value.name == name]
        if named:
            return named[-1]
        known = cut(", ".join(self) or "none", 90)
        raise KeyError(f"Graph: no value is named {shown(name)} so far; the names are: {known}")

    def __iter__(self) -> Iterator[str]:
        """The names of its values."""
        return iter(dict.fromkeys(value.name for value in self.values if value.name))

    def __contains__(self, what: object) -> bool:
        """Whether a value has that name, or is that very value."""
        return any(value is what for value in self.values) or (isinstance(what, str) and what in list(self))

    @property
    def outputs(self) -> list[Value]:
        """The results that no operation takes further."""
        used = uses(self.operations)
        return [operation.out for operation in self.operations if id(operation.out) not in used]

    def gradient(self, of: Value | str) -> float | None:
        """The gradient with respect to a value: that its layer's backward was given, or the sum of what came.

        None where no backward has reached it; a picture shows "–" there.  of: a value, or the name of one.
        """
        value = self[of] if isinstance(of, str) else self.require_own("Graph.gradient", of)
        return gradients_of(self.values, self.operations)[id(value)]

    def backward(self, dout: float = 1.0, output: Value | str | int | None = None) -> None:
        """Run every layer's backward, from the last to the first, in place of whatever ran before.

        dout: the gradient at the output.  output: which one, where the graph has several: a result, the name
        of one, or its place in `outputs`.
        Raises RuntimeError before any forward, ValueError for several outputs and none of them named.
        """
        if isinstance(dout, str):
            raise TypeError(
                f"Graph.backward: dout must be a number, got {shown(dout)}; output=... names a result"
            )
        start, end = number_of("Graph.backward", "dout", dout), self.output("Graph.backward", output)
        for operation in self.operations:
            operation.dout = operation.gradients = None
        used = uses(self.operations)
        for operation in reversed(self.operations):
            total = arriving(used.get(id(operation.out), ()))
            if operation.out is end:
                total = start + (total or 0.0)
            if total is not None:
                operation.dout, operation.gradients = total, operation.backward(total)

    def output(self, where: str, which: Value | str | int | None = None) -> Value:
        """The result that is meant: itself, or its name, or its place in `outputs`; None: the only one."""
        if which is None:
            return self._only_output(where)
        if isinstance(which, Integral):
            return at_place(where, "outputs", self.require_output(where), which)
        end = self[which] if isinstance(which, str) else self.require_own(where, which)
        if end.kind != RESULT:
            raise ValueError(f"{where}: output must be a result, got the {end.kind} {end!r}")
        return end

    def _only_output(self, where: str) -> Value:
        first, *others = self.require_output(where)
        if others:
            names = cut(", ".join(map(labelled, [first, *others])), 90)
            raise ValueError(f"{where}: say which output, output=NAME or its place in outputs, of {names}")
        return first

    def require_output(self, where: str) -> list[Value]:
        """The outputs.  Raises RuntimeError where nothing was recorded."""
        if not self.operations:
            raise RuntimeError(
                f"{where}: nothing was recorded, so there is no output; run the layers' forward inside "
                "`with trace() as graph:`"
            )
        return self.outputs

    def _drawn(self, local: bool, digits: int) -> Diagram:
        self.require_output("Graph")
        return diagram_of(self, local, digits)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON's terms; operands and results by their places among the values."""
        place = {id(value): i for i, value in enumerate(self.values)}
        gradients = gradients_of(self.values, self.operations)
        values = [
            {"name": v.name, "kind": v.kind, "value": float(v), "gradient": gradients[id(v)]}
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


def at_place(where: str, what: str, values: Sequence[Any], place: Any) -> Any:
    """The value at a place, counted as Python does.  Raises ValueError for what is no place among them."""
    is_count = isinstance(place, Integral) and type(place).__name__ not in NO_NUMBERS
    if not is_count or not -len(values) <= place < len(values):
        rule = f"output must be a name, or a place in {what} (length {len(values)})"
        raise ValueError(f"{where}: {rule}, got {shown(place)}")
    return values[int(place)]
