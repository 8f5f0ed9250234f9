"""What a graph consists of: numbers that know where they came from, and the operations between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from backends import cut, describe
from backprop.graph.current import unrecorded
from backprop.graph.outside import Tracked
from backprop.scalar.scalar_layer import bare, require_float

if TYPE_CHECKING:
    from backprop.graph.recording import Recording

INPUT, CONSTANT, RESULT = "input", "constant", "result"


class Value(Tracked):
    """A number of a graph. It computes as the float that it is; what is computed of it otherwise is a float.

    graph: the graph it belongs to; None for one that no graph made.  kind: "input", "constant" or "result".
    name: "" where it has none.
    """

    __slots__ = ("graph", "kind", "name")
    graph: "Recording | None"
    kind: str
    name: str

    def __new__(cls, number: float = 0.0) -> "Value":
        """A value of no graph yet."""
        value = super().__new__(cls, number)
        value.graph, value.kind, value.name = None, "", ""
        return value


def labelled(value: Value) -> str:
    """A value in a message: its name, or its number where it has none."""
    return cut(value.name, 30) or f"{float(value):.4g}"


@dataclass(eq=False)
class Operation:
    """A forward of a layer, and the backward that followed it, if any.

    layer: a copy of the layer as it was then, so that another forward of it changes nothing here.
    dout, gradients: what backward was given and what it returned, one an operand; None before it.
    """

    layer: Any
    operands: tuple[Value, ...]
    out: Value
    dout: float | None = None
    gradients: tuple[float, ...] | None = None

    @property
    def kind(self) -> str:
        """The name of the layer's class."""
        return type(self.layer).__name__

    def backward(self, dout: float) -> tuple[float, ...]:
        """What the layer's own backward says, one number an operand; no tracer takes it for a pass."""
        with unrecorded():
            return self.checked(self.layer.backward(dout))

    def local_derivatives(self) -> tuple[float, ...]:
        """d out / d operand, one an operand: the backward of 1."""
        return self.backward(1.0)

    def checked(self, gradients: Any) -> tuple[float, ...]:
        """What a backward returned as a tuple; a layer of one operand returns a bare number.

        Raises TypeError for what are no numbers, ValueError for more or fewer than there are operands.
        """
        each = gradients if isinstance(gradients, tuple | list) else (gradients,)
        where, count = f"{self.kind}.backward", len(self.operands)
        if len(each) != count:
            rule = f"must return a gradient for each operand, {count} in all"
            raise ValueError(f"{where}: {rule}, got {len(each)}")
        return tuple(number_of(where, "a gradient that it returns", gradient) for gradient in each)


Use = tuple[Operation, int]  # an operation, and which operand of it


def uses(operations: Iterable[Operation]) -> dict[int, list[Use]]:
    """Where each value is used, by its id."""
    found: dict[int, list[Use]] = {}
    for operation in operations:
        for i, operand in enumerate(operation.operands):
            found.setdefault(id(operand), []).append((operation, i))
    return found


def arriving(used: Iterable[Use]) -> float | None:
    """The sum of the gradients that come back from where a value is used; None where none has come."""
    came = [operation.gradients[i] for operation, i in used if operation.gradients is not None]
    return sum(came[1:], came[0]) if came else None


def gradients_of(values: Iterable[Value], operations: Sequence[Operation]) -> dict[int, float | None]:
    """The gradient of every value, by id: what its layer's backward was given, or the sum of what came."""
    used = uses(operations)
    found = {id(value): arriving(used.get(id(value), ())) for value in values}
    return found | {id(each.out): each.dout for each in operations if each.dout is not None}


def number_of(where: str, name: str, number: Any) -> float:
    """A real number as a float.  Raises TypeError for anything else, ValueError for what no float holds."""
    if not isinstance(bare(number), Real):
        raise TypeError(
            f"{where}: a graph is one of real numbers, but {name} is {describe(number)}; trace single "
            "numbers, or draw a network by its layers: network_graph(net, x, t)"
        )
    require_float(where, name, number)
    return float(number)
