"""What a graph consists of: numbers that know where they came from, and the operations between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from backends import describe

if TYPE_CHECKING:
    from backprop.graph.recording import Recording

INPUT, CONSTANT, RESULT = "input", "constant", "result"


class Value(float):
    """A number of a graph. It computes as the float that it is; what is computed of it otherwise is a float.

    graph: the graph it belongs to.  kind: "input", "constant" or "result".  name: "" where it has none.
    """

    __slots__ = ("graph", "kind", "name")
    graph: "Recording"
    kind: str
    name: str

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)  # a copy is a number and belongs to no graph


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
        """What the layer's own backward says, one number an operand."""
        return as_tuple(self.layer.backward(dout))

    def local_derivatives(self) -> tuple[float, ...]:
        """d out / d operand, one an operand: the backward of 1."""
        return self.backward(1.0)


def as_tuple(gradients: Any) -> tuple[float, ...]:
    """The gradients that a backward returned; a layer of one operand returns a bare number."""
    return tuple(map(float, gradients)) if isinstance(gradients, tuple) else (float(gradients),)


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


def number_of(where: str, name: str, number: Any) -> float:
    """A real number as a float.  Raises TypeError for anything else."""
    if not isinstance(number, Real):
        raise TypeError(
            f"{where}: a graph is one of real numbers, but {name} is {describe(number)}; trace single "
            "numbers, or draw a network by its layers: network_graph(net, x, t)"
        )
    return float(number)
