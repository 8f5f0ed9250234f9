"""Which result a function's graph is of: that which the function returns, or the one that is chosen."""

from numbers import Rational, Real
from typing import Any

from backends import cut, shown
from backprop.graph.graph import Graph, at_place
from backprop.graph.outside import Outside
from backprop.graph.records import RESULT, Value, labelled


def end_of(name: str, graph: Graph, result: Any, output: str | int | None) -> Value:
    """The result that the gradients are of.  name: of the function.  result: what it returned."""
    returned = _numbers(result)
    if isinstance(output, str) or not returned:
        return graph.output("graph_of", output)
    if output is not None:
        number = at_place("graph_of", f"what {name} returns", returned, output)
        return graph.output("graph_of", _recorded(name, graph, number))
    found = [_recorded(name, graph, number) for number in returned]
    ends = list({id(value): value for value in found if value.kind == RESULT}.values())
    if len(ends) != 1:
        labels = cut(", ".join(map(labelled, ends)), 60) or "no result of a layer"
        raise ValueError(
            f"graph_of: {name} returns {labels}; say which, graph_of({name}, output=NAME or its place)"
        )
    if lost := [value for value in graph.outputs if value is not ends[0]]:
        labels = cut(", ".join(map(labelled, lost)), 40)
        raise ValueError(
            f"graph_of: {name} returns {labelled(ends[0])} and no layer takes {labels}; if that was used, "
            f"use a layer for it, else choose: graph_of({name}, output=NAME or its place)"
        )
    return ends[0]


def require_inside(name: str, result: Any) -> None:
    """Raise ValueError where a function returns what it computed of a value without a layer."""
    for number in _numbers(result):
        _require_inside(name, number)


def _numbers(result: Any) -> list[Any]:
    """The numbers in what a function returned: one, or those of a tuple, a list or a dictionary."""
    each = result.values() if isinstance(result, dict) else result
    each = each if isinstance(result, dict | tuple | list) else [result]
    return [number for number in each if isinstance(number, Real)]


def _recorded(name: str, graph: Graph, number: float) -> Value:
    """The value that a returned number is.  Raises ValueError for one that no layer computed."""
    _require_inside(name, number)
    for value in graph.values:
        if value is number:
            return value
    if len(ends := [value for value in graph.outputs if value == number]) > 1:
        labels = cut(", ".join(map(labelled, ends)), 40)
        cure = f"return one of them itself, or choose: graph_of({name}, output=NAME)"
        raise ValueError(
            f"graph_of: {name} returns {_digits(number)}, the number of each of {labels}; {cure}"
        )
    found = ends or [value for value in graph.values if value == number]
    if not found:
        last = labelled(graph.operations[-1].out)
        raise ValueError(
            f"graph_of: {name} returns {_digits(number)}, which no layer computed (the last result is "
            f"{last}); compute it by layers all the way, as AddLayer, MulLayer"
        )
    return found[-1]


def _require_inside(name: str, number: float) -> None:
    if isinstance(number, Outside):
        raise ValueError(f"graph_of: {name} returns a number without a layer: {number.told()}")


def _digits(number: Any) -> str:
    is_exact = isinstance(number, Rational)  # and then perhaps larger than every float
    return shown(number) if is_exact else f"{float(number):.6g}"
