"""Numbers that plain Python arithmetic computes from the values of a graph, without a layer.

`price + 500` is a float that remembers that it was computed from `price`. No gradient could flow back through
it, so the layers of that graph refuse it by name. The same holds for `numpy.exp(price)`. The results of
`math.exp`, `float`, `int` and arrays are plain numbers whose origin is lost.
"""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from backends import cut
from backprop.graph.current import current

OWN = "a layer of your own, with trace(YourLayer)"
ARITHMETIC = {  # by method: its notation, and the layer to use instead
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
LONGEST = 30  # letters of an expression in a message


class Tracked(float):
    """A float whose sums, products, … are `Outside` numbers of its graph. Its copies are plain floats."""

    __slots__ = ()
    graph: Any

    @property
    def real(self) -> "Tracked":
        """The number itself, as for a float."""
        return self

    def conjugate(self) -> "Tracked":
        """Return the number itself, as a float does."""
        return self

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __array_ufunc__(self, function: Any, method: str, *operands: Any, **options: Any) -> Any:
        """Apply a function of NumPy, or an operator whose other operand is a NumPy scalar."""
        number = getattr(function, method)(*map(plain, operands), **options)
        form = ", ".join(["{}"] * len(operands)).join([f"numpy.{function.__name__}(", ")"])
        is_float = isinstance(number, Real) and not isinstance(number, Integral)
        return _outside(number, form, OWN, operands) if is_float else number

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)  # a copy belongs to no graph


class Outside(Tracked):
    """A number computed from a value of a graph, but not by a layer.

    graph: the value's.  written: the expression.  layer: what would compute it with a gradient.
    """

    __slots__ = ("graph", "layer", "written")
    written: str
    layer: str

    def explain(self) -> str:
        """Return the expression and the cure, for a message."""
        return (
            f"{self.written} = {float(self):.6g} was computed outside of the layers, so its gradient is "
            f"lost; use {self.layer}"
        )


def plain(number: Any) -> Any:
    """Return a number without its history."""
    return float(number) if isinstance(number, Tracked) else number


def _written(number: Any) -> str:
    return getattr(number, "written", "") or getattr(number, "name", "") or f"{float(number):.6g}"


def _outside(number: Any, form: str, layer: str, operands: Sequence[Any]) -> Outside:
    """Return a number of the recording graph if an operand belongs to it, else of the first operand's."""
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
