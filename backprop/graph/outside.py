"""What Python's own arithmetic makes of the numbers of a graph: numbers that no layer recorded.

`price + 500` is a float as ever, but it remembers that it was computed of `price`. No gradient would come
back through it, so the layers of that graph refuse it, and say so by name; `numpy.exp(price)` likewise. What
`math.exp`, `float`, `int` or an array make of a value is a bare number: nobody can say where it came from.
"""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from backends import cut
from backprop.graph.current import current

OWN = "a layer of your own, trace(YourLayer)"
ARITHMETIC = {  # by the method: how it is written, and the layer to use in its place
    "add": ("{} + {}", "AddLayer"),
    "sub": ("{} - {}", "AddLayer, and MulLayer by -1"),
    "mul": ("{} * {}", "MulLayer"),
    "truediv": ("{} / {}", "DivLayer"),
    "floordiv": ("{} // {}", OWN),
    "mod": ("{} % {}", OWN),
    "pow": ("{} ** {}", OWN),
    "neg": ("-{}", "MulLayer by -1"),
    "pos": ("+{}", "the value itself"),
    "abs": ("abs({})", OWN),
    "round": ("round({}, {})", OWN),
}
LONGEST = 30  # letters of what was computed, in a message


class Tracked(float):
    """A float whose sums, products, … are `Outside` numbers of its graph. A copy of it is a plain float."""

    __slots__ = ()
    graph: Any

    @property
    def real(self) -> "Tracked":
        """The number itself."""
        return self

    def conjugate(self) -> "Tracked":
        """The number itself."""
        return self

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __array_ufunc__(self, function: Any, method: str, *operands: Any, **options: Any) -> Any:
        """What a function of NumPy makes of it, or an operator beside a number of NumPy."""
        number = getattr(function, method)(*map(plain, operands), **options)
        form = ", ".join(["{}"] * len(operands)).join([f"numpy.{function.__name__}(", ")"])
        is_float = isinstance(number, Real) and not isinstance(number, Integral)
        return _outside(number, form, OWN, operands) if is_float else number

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)  # it belongs to no graph


class Outside(Tracked):
    """A number that was computed of a value of a graph, and not by a layer.

    graph: of the value.  written: how it was computed.  layer: what computes it with a gradient.
    """

    __slots__ = ("graph", "layer", "written")
    written: str
    layer: str

    def told(self) -> str:
        """What it is, and the cure, for a message."""
        return (
            f"{self.written} = {float(self):.6g} was computed outside of the layers, so that its gradient is "
            f"lost; use {self.layer}"
        )


def plain(number: Any) -> Any:
    """A number without its history."""
    return float(number) if isinstance(number, Tracked) else number


def _written(number: Any) -> str:
    return getattr(number, "written", "") or getattr(number, "name", "") or f"{float(number):.6g}"


def _outside(number: Any, form: str, layer: str, operands: Sequence[Any]) -> Outside:
    """A number that was computed of these, of which the graph that records, or else the first, is told."""
    out, tracer = Outside(number), current.get()
    graphs = [each.graph for each in operands if isinstance(each, Tracked)]
    out.graph = next((graph for graph in graphs if tracer and graph is tracer.graph), graphs[0])
    out.layer, out.written = layer, cut(form.format(*map(_written, operands)), LONGEST)
    return out


def _tracked(method: str, form: str, layer: str, reflected: bool = False) -> Any:
    compute = getattr(float, method)

    def operation(self: Any, *others: Any) -> Any:
        number = compute(self, *others)
        if not isinstance(number, float):
            return number  # NotImplemented, a complex power, or an integer
        operands = [self, *others]
        return _outside(number, form, layer, operands[::-1] if reflected else operands)

    return operation


for _name, (_form, _layer) in ARITHMETIC.items():
    setattr(Tracked, f"__{_name}__", _tracked(f"__{_name}__", _form, _layer))
    if "{} " in _form:
        setattr(Tracked, f"__r{_name}__", _tracked(f"__r{_name}__", _form, _layer, reflected=True))
