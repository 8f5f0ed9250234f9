"""The graph of a function over the scalar layers: its parameters are the inputs."""

import inspect
from collections.abc import Callable
from typing import Any

from backends import cut, shown
from backprop.graph.graph import Graph
from backprop.graph.picture import Picture
from backprop.graph.returned import end_of, require_inside
from backprop.graph.tracing import trace
from backprop.scalar import ScalarLayer

STARRED = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
KINDS: dict[str, Callable[[Any], bool]] = {  # that cannot be traced
    "the class": inspect.isclass,
    "a layer's own": lambda function: isinstance(getattr(function, "__self__", None), ScalarLayer),
    "the async function": inspect.iscoroutinefunction,
    "the generator function": lambda function: (
        inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    ),
}


def graph_of(function: Callable[..., Any], /, *, output: str | int | None = None, **numbers: Any) -> Graph:
    """Run a function under a tracer, and the backward passes after it, unless it ran some itself.

    output: where it has several results, which one the gradients are of: its name, or its place in what the
    function returns (in `Graph.outputs`, if it returns none).
    numbers: its inputs by name; the others take the function's own defaults.
    Raises TypeError for what is no function, for a missing or an unknown input, ValueError for a function
    that returns a number which no layer computed, and for several outputs and none of them chosen,
    RuntimeError for a function that runs no scalar layer, what `trace` raises, and what the function raises.

    >>> from backprop.graph import book
    >>> graph = graph_of(book.apple, apple_num=3)
    >>> graph, round(graph["price"], 6), round(graph.gradient("tax"), 6)
    (<Graph apple=100, apple_num=3, tax=1.1; 2 operations>, 330.0, 300.0)
    """
    graph, _ = run_traced(function, output, **numbers)
    if not graph.operations:
        raise RuntimeError(
            f"graph_of: nothing was recorded, for {_name(function)} runs no scalar layer, as MulLayer; "
            "layers of your own are recorded inside `with trace(YourLayer):`"
        )
    return graph


def run_traced(
    function: Callable[..., Any], output: str | int | None = None, /, **numbers: Any
) -> tuple[Graph, Any]:
    """The graph, which may have nothing in it, and what the function returned."""
    bound = _inputs(function, numbers)
    if output is not None and "output" in bound.arguments:
        rule = f"output=... chooses a result, and {_name(function)} has an input of that name; rename it"
        raise TypeError(f"graph_of: {rule}")
    with trace() as graph:
        for parameter, number in bound.arguments.items():
            bound.arguments[parameter] = graph.input(parameter, number)
        result = function(*bound.args, **bound.kwargs)
    if graph.operations and not isinstance(result, Picture):
        if output is None and any(operation.gradients is not None for operation in graph.operations):
            require_inside(_name(function), result)
        else:
            graph.backward(output=end_of(_name(function), graph, result, output))
    return graph, result


def _name(function: Any) -> str:
    return cut(getattr(function, "__name__", type(function).__name__), 30)


def _inputs(function: Any, numbers: dict[str, Any]) -> inspect.BoundArguments:
    """Its arguments.  Raises TypeError for what cannot be called with numbers by name."""
    name = _name(function)
    wrong = next((f"{kind} {name}" for kind, fits in KINDS.items() if fits(function)), "")
    if wrong or not callable(function):
        cure = "one over the scalar layers, def f(x=1.0): ..., that returns their result"
        raise TypeError(f"graph_of: needs a plain function, {cure}; got {wrong or shown(function)}")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise TypeError(f"graph_of: the parameters of {name} are not known; wrap it in a function") from None
    for parameter in signature.parameters.values():
        if parameter.kind in STARRED:
            rule = f"{name} takes {cut(str(parameter), 30)}, but each input is a parameter with a name"
            raise TypeError(f"graph_of: {rule}; write them out, def {name}(x=1.0, y=2.0)")
    for unknown in numbers.keys() - signature.parameters.keys():
        known = cut(", ".join(signature.parameters) or "none", 60)
        raise TypeError(f"graph_of: {name} has no input {shown(unknown)}; its inputs are: {known}")
    try:
        bound = signature.bind(**numbers)
    except TypeError as error:
        raise TypeError(
            f"graph_of: {name} needs a number for every parameter ({cut(str(error), 60)}); give defaults, "
            f"def {name}(x=1.0), or graph_of({name}, x=1.0)"
        ) from None
    bound.apply_defaults()
    return bound
