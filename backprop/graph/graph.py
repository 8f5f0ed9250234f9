"""A recorded computational graph of numbers: its values, its operations and its gradients."""

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any

from backends import cut, shown
from backprop.arrays.checks import NOT_NUMBERS
from backprop.graph.diagram import Diagram
from backprop.graph.of_values import diagram_of
from backprop.graph.picture import Picture
from backprop.graph.recording import Recording
from backprop.graph.records import INPUT, RESULT, Value, arriving, gradients_of, labelled, number_of, uses

NO_SOURCE = (
    "there is no source code to read names from here: use graph.input('apple', 100), "
    "graph.name('price', price), or a file"
)


class Graph(Recording, Picture):
    """The graph that `trace` records and `graph_of` returns.

    A notebook draws it. Elsewhere, `to_svg()`, `to_html()`, `to_mermaid()` and `to_dot()` do. Iterating over
    it yields the names of its values, and `graph[name]` is a value.

    Attributes
    ----------
    values : list of Value
        Inputs, constants and results, in the order in which they were recorded.
    operations : list of Operation
        Every forward of a layer, in the same order.
    """

    def __getitem__(self, name: str) -> Value:
        """Return the value with a name, the latest if there are several. Raises KeyError without one."""
        named = [value for value in self.values if isinstance(name, str) and value.name == name]
        if named:
            return named[-1]
        known = ", ".join(self) or "none"
        if self.has_source:
            raise KeyError(f"Graph: no value is named {shown(name)}; the names are: {cut(known, 90)}")
        raise KeyError(
            f"Graph: no value is named {shown(name, 40)}; the names are: {cut(known, 30)}; {NO_SOURCE}"
        )

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the values, each once."""
        return iter(dict.fromkeys(value.name for value in self.values if value.name))

    def __contains__(self, what: object) -> bool:
        """Return whether a value has that name, or is that very object."""
        return any(value is what for value in self.values) or (isinstance(what, str) and what in list(self))

    @property
    def outputs(self) -> list[Value]:
        """The results that no operation uses."""
        used = uses(self.operations)
        return [operation.out for operation in self.operations if id(operation.out) not in used]

    def gradient(self, of: Value | str) -> float | None:
        """Return the gradient with respect to a value, or None if no backward has reached it.

        Gradients from several uses are added. A picture shows None as "–".

        of: a value of this graph, or its name. Raises KeyError, TypeError or ValueError for anything else.
        """
        value = self[of] if isinstance(of, str) else self.require_own("Graph.gradient", of)
        return gradients_of(self.values, self.operations)[id(value)]

    def backward(self, dout: float = 1.0, output: Value | str | int | None = None) -> None:
        """Run the backward of every layer, from last to first. Gradients of earlier passes are discarded.

        Parameters
        ----------
        dout : float
            The gradient at the output.
        output : Value, str or int, optional
            The result to start from: itself, its name, or its index in `outputs`. Required if the graph has
            several outputs.

        Raises
        ------
        RuntimeError
            If nothing was recorded.
        ValueError
            If there are several outputs and none is chosen, or `output` is not a result of this graph.
        TypeError
            If `dout` is not a real number.
        KeyError
            If no value has the name `output`.
        """
        if isinstance(dout, str):
            raise TypeError(
                f"Graph.backward: dout must be a number, got {shown(dout)}; choose a result with output=..."
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
        """Return a result chosen by itself, by name or by index in `outputs`; for None, the only output."""
        if which is None:
            return self._only_output(where)
        if isinstance(which, Integral):
            return at_index(where, "outputs", self.require_output(where), which)
        end = self[which] if isinstance(which, str) else self.require_own(where, which)
        if end.kind != RESULT:
            raise ValueError(f"{where}: output must be a result, got the {end.kind} {end!r}")
        return end

    def _only_output(self, where: str) -> Value:
        first, *others = self.require_output(where)
        if others:
            names = cut(", ".join(map(labelled, [first, *others])), 90)
            raise ValueError(
                f"{where}: several outputs, {names}; choose one with output=NAME or its index in outputs"
            )
        return first

    def require_output(self, where: str) -> list[Value]:
        """Return the outputs. Raises RuntimeError if nothing was recorded."""
        if not self.operations:
            raise RuntimeError(
                f"{where}: nothing was recorded; run the forward of scalar layers inside "
                "`with trace() as graph:`"
            )
        return self.outputs

    def _drawn(self, local: bool, digits: int) -> Diagram:
        self.require_output("Graph")
        return diagram_of(self, local, digits)

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as plain data for JSON. Operands and results are indices into the values."""
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
        count = len(self.operations)
        return f"<Graph {inputs}; {count} {'operation' if count == 1 else 'operations'}>"


def at_index(where: str, what: str, values: Sequence[Any], index: Any) -> Any:
    """Return the value at an index, which may be negative. Raises ValueError if it is out of range."""
    is_integer = isinstance(index, Integral) and type(index).__name__ not in NOT_NUMBERS
    if not is_integer or not -len(values) <= index < len(values):
        rule = f"output must be a name, or an index into {what} (length {len(values)})"
        raise ValueError(f"{where}: {rule}, got {shown(index)}")
    return values[int(index)]
