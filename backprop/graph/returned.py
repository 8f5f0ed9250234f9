"""The result that a function's gradients belong to: the one that it returns, or the one chosen."""

from numbers import Rational, Real
from typing import Any

from backends import cut, shown
from backprop.graph.graph import Graph, at_index
from backprop.graph.outside import Outside
from backprop.graph.records import RESULT, Value, labelled


def end_of(name: str, graph: Graph, result: Any, output: str | int | None) -> Value:
    """Return the value to start backward from.  name: of the function.  result: what it returned."""
    returned = _numbers(result)
    if isinstance(output, str) or not returned:
        return graph.output("graph_of", output)
    if output is not None:
        number = at_index("graph_of", f"what {name} returns", returned, output)
        return graph.output("graph_of", _recorded(name, graph, number))
    found = [_recorded(name, graph, number) for number in returned]
    ends = list({id(value): value for value in found if value.kind == RESULT}.values())
    if len(ends) != 1:
        labels = cut(", ".join(map(labelled, ends)), 60) or "no result of a layer"
        raise ValueError(
            f"graph_of: {name} returns {labels}; choose one, graph_of({name}, output=NAME or its index)"
        )
    if lost := [value for value in graph.outputs if value is not ends[0]]:
        labels = cut(", ".join(map(labelled, lost)), 40)
        raise ValueError(
            f"graph_of: {name} returns {labelled(ends[0])}, but no layer uses {labels}; use a layer for it, "
            f"or graph_of({name}, output=NAME or its index)"
        )
    return ends[0]


def require_inside(name: str, result: Any) -> None:
    """Raise ValueError if a function returns a number computed from a value without a layer."""
    for number in _numbers(result):
        _require_inside(name, number)


def _numbers(result: Any) -> list[Any]:
    """Return the numbers in a result: itself, or those in a tuple, list or dictionary."""
    each = result.values() if isinstance(result, dict) else result
    each = each if isinstance(result, dict | tuple | list) else [result]
    return [number for number in each if isinstance(number, Real)]


def _recorded(name: str, graph: Graph, number: float) -> Value:
    """Return the value that a returned number is. Raises ValueError if no layer computed it."""
    _require_inside(name, number)
    for value in graph.values:
        if value is number:
            return value
    if len(ends := [value for value in graph.outputs if value == number]) > 1:
        labels = cut(", ".join(map(labelled, ends)), 40)
        cure = f"return the value itself, or graph_of({name}, output=NAME)"
        raise ValueError(
            f"graph_of: {name} returns {_digits(number)}, which could be any of {labels}; {cure}"
        )
    found = ends or [value for value in graph.values if value == number]
    if not found:
        last = labelled(graph.operations[-1].out)
        raise ValueError(
            f"graph_of: {name} returns {_digits(number)}, which no layer computed (the last result is "
            f"{last}); compute it with layers only, such as AddLayer and MulLayer"
        )
    return found[-1]


def _require_inside(name: str, number: float) -> None:
    if isinstance(number, Outside):
        raise ValueError(f"graph_of: {name} returns a number that no layer computed: {number.explain()}")


def _digits(number: Any) -> str:
    is_exact = isinstance(number, Rational)  # which may be too large for a float
    return shown(number) if is_exact else f"{float(number):.6g}"
