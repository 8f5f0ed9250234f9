"""The parts of a graph: numbers that remember where they came from, and the operations between them."""

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
    """A float that remembers where it came from.

    Plain arithmetic on it is not recorded, so the layers of its graph refuse numbers computed that way.

    Attributes
    ----------
    graph : Graph or None
        The graph that it belongs to.
    kind : str
        "input", "constant" or "result"; "" outside of a graph.
    name : str
        "" if it has none.
    """

    __slots__ = ("graph", "kind", "name")
    graph: "Recording | None"
    kind: str
    name: str

    def __new__(cls, number: float = 0.0) -> "Value":
        """Return a value that belongs to no graph yet."""
        value = super().__new__(cls, number)
        value.graph, value.kind, value.name = None, "", ""
        return value


def labelled(value: Value) -> str:
    """Return the name of a value, or its number if it has none, for a message."""
    return cut(value.name, 30) or f"{float(value):.4g}"


@dataclass(eq=False)
class Operation:
    """A forward of a layer, and the backward that followed it, if any.

    Attributes
    ----------
    layer : object
        A copy of the layer after its forward, which later calls do not change.
    operands : tuple of Value
    out : Value
    dout : float or None
        The argument of backward, None before it.
    gradients : tuple of float or None
        The result of backward, a gradient per operand, None before it.
    """

    layer: Any
    operands: tuple[Value, ...]
    out: Value
    dout: float | None = None
    gradients: tuple[float, ...] | None = None

    @property
    def kind(self) -> str:
        """The class name of the layer."""
        return type(self.layer).__name__

    def backward(self, dout: float) -> tuple[float, ...]:
        """Return the gradients of the layer's own backward, one per operand. No tracer records it."""
        with unrecorded():
            return self.checked(self.layer.backward(dout))

    def local_derivatives(self) -> tuple[float, ...]:
        """Return d out / d operand for each operand: the backward of 1."""
        return self.backward(1.0)

    def checked(self, gradients: Any) -> tuple[float, ...]:
        """Return the result of a backward as a tuple. A layer with one operand returns a bare number.

        Raises TypeError if they are not numbers, ValueError if there is not one per operand.
        """
        each = gradients if isinstance(gradients, tuple | list) else (gradients,)
        where, count = f"{self.kind}.backward", len(self.operands)
        if len(each) != count:
            rule = f"must return a gradient per operand, {count} in all"
            raise ValueError(f"{where}: {rule}, got {len(each)}")
        return tuple(number_of(where, "a returned gradient", gradient) for gradient in each)


Use = tuple[Operation, int]  # an operation, and the index of the operand


def uses(operations: Iterable[Operation]) -> dict[int, list[Use]]:
    """Return the uses of each value, by its id."""
    found: dict[int, list[Use]] = {}
    for operation in operations:
        for i, operand in enumerate(operation.operands):
            found.setdefault(id(operand), []).append((operation, i))
    return found


def arriving(used: Iterable[Use]) -> float | None:
    """Return the sum of the gradients from the uses of a value, or None before any backward."""
    came = [operation.gradients[i] for operation, i in used if operation.gradients is not None]
    return sum(came[1:], came[0]) if came else None


def gradients_of(values: Iterable[Value], operations: Sequence[Operation]) -> dict[int, float | None]:
    """Return the gradient of each value by id: the dout of its operation, or the sum over its uses."""
    used = uses(operations)
    found = {id(value): arriving(used.get(id(value), ())) for value in values}
    return found | {id(each.out): each.dout for each in operations if each.dout is not None}


def number_of(where: str, name: str, number: Any) -> float:
    """Return a real number as a float. Raises TypeError for anything else, ValueError if too large."""
    if not isinstance(bare(number), Real):
        raise TypeError(
            f"{where}: a graph holds real numbers, but {name} is {describe(number)}; trace single "
            "numbers, or draw a network by its layers: network_graph(net, x, t)"
        )
    require_float(where, name, number)
    return float(number)
