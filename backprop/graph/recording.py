"""A graph while it is recorded: values and operations, and the inputs that a user names."""

from itertools import count
from types import CodeType
from typing import Any

from backends import cut, describe, is_line, shown
from backprop.graph.outside import Outside
from backprop.graph.records import CONSTANT, INPUT, RESULT, Operation, Value, number_of
from backprop.graph.source import Argument, Call


class Recording:
    """The values and operations of a graph, in the order in which they are recorded.

    outer: the recording of the enclosing tracer, if any. Its values enter this one as inputs.
    """

    def __init__(self, outer: "Recording | None" = None) -> None:
        self.outer = outer
        self.values: list[Value] = []
        self.operations: list[Operation] = []
        self.has_source = True  # False once the names of a call could not be read
        self._found: dict[tuple[CodeType, str, int], tuple[Any, Value]] = {}  # by code, name and object

    def input(self, name: str, number: Any) -> Value:
        """Add a named input and return it. Pass it to the layers in place of the number."""
        text = _text("Graph.input", name)
        return self._new(number_of("Graph.input", cut(text, 40), number), INPUT, text)

    def constant(self, number: Any) -> Value:
        """Add a constant and return it. It is drawn without name and gradient, as the 1 in 1 + exp(-x)."""
        return self._new(number_of("Graph.constant", "number", number), CONSTANT)

    def name(self, name: str, value: Value) -> Value:
        """Name a value of this graph, such as the output, and return it."""
        self.require_own("Graph.name", value)
        value.name = _text("Graph.name", name)
        return value

    def operand(self, where: str, number: Any, written: Argument, code: CodeType) -> Value:
        """Return an argument of a forward as a value of this graph, adding an input or constant if needed."""
        name = written.text
        if isinstance(number, Value):
            if not self._is_outer(number):
                return self.require_own(where, number)
            name = number.name or name
        if isinstance(number, Outside) and number.graph is self:
            raise ValueError(f"{where}: {number.explain()}, or start a new input with float(...)")
        plain = number_of(where, name or "an operand", number)
        if written.literal:
            return self._new(plain, CONSTANT)
        if not name:
            return self._new(plain, INPUT, self._free_name())
        key = code, name, id(number)
        if key not in self._found:
            self._found[key] = number, self._new(plain, INPUT, name)  # kept alive, so its id stays unique
        return self._found[key][1]

    def _free_name(self) -> str:
        """Return the first free name of x1, x2, …, for an input without a name in the source."""
        taken = {value.name for value in self.values}
        return next(name for name in map("x{}".format, count(1)) if name not in taken)

    def _is_outer(self, value: Value) -> bool:
        graph = self.outer
        while graph is not None and value.graph is not graph:
            graph = graph.outer
        return graph is not None

    def record(self, layer: Any, operands: tuple[Value, ...], out: Any, call: Call) -> Operation:
        """Add an operation and return it.  layer: a copy that no later forward changes."""
        number = number_of(f"{type(layer).__name__}.forward", "its result", out)
        self.has_source = self.has_source and call.has_source
        operation = Operation(layer, operands, self._new(number, RESULT, call.target))
        self.operations.append(operation)
        return operation

    def _new(self, number: float, kind: str, name: str = "") -> Value:
        value = Value(number)
        value.graph, value.kind, value.name = self, kind, name
        self.values.append(value)
        return value

    def require_own(self, where: str, value: Any) -> Value:
        """Return the value. Raises ValueError if it is another graph's, TypeError if it is not a value."""
        if not isinstance(value, Value):
            cure = "pass its name, or the result of a forward or of graph.input"
            raise TypeError(f"{where}: needs a value of this graph, got {shown(value)}; {cure}")
        if value.graph is not self:
            name = f"{cut(value.name, 30)} = " if value.name else ""
            raise ValueError(
                f"{where}: {name}{value!r} is not a value of this graph; create it inside the same `with "
                "trace()`, or pass float(value) as a new input"
            )
        return value

    def __getstate__(self) -> dict[str, Any]:
        """Return the values and operations as plain data, without code objects and the enclosing tracer."""
        place = {id(value): i for i, value in enumerate(self.values)}
        return {
            "values": [(float(value), value.kind, value.name) for value in self.values],
            "operations": [
                (
                    each.layer,
                    [place[id(value)] for value in (*each.operands, each.out)],
                    each.dout,
                    each.gradients,
                )
                for each in self.operations
            ],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__()  # type: ignore[misc]
        for value in state["values"]:
            self._new(*value)
        for layer, places, dout, gradients in state["operations"]:
            *operands, out = (self.values[i] for i in places)
            self.operations.append(Operation(layer, tuple(operands), out, dout, gradients))


def _text(where: str, name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(
            f"{where}: name must be a string, got {describe(name)}; the name comes first, then the number"
        )
    if not is_line(name):
        raise ValueError(f"{where}: name must be one line of printable text, got {shown(name)}")
    return name
