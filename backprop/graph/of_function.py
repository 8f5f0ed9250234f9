"""The graph of a function over the scalar layers: its parameters are the inputs."""

import inspect
from collections.abc import Callable
from typing import Any

from backprop.graph.graph import Graph
from backprop.graph.tracing import trace


def graph_of(function: Callable[..., Any], **numbers: Any) -> Graph:
    """Run a function under a tracer, and the backward passes after it, unless it ran some itself.

    numbers: its inputs by name; the others take the function's own defaults.
    Raises TypeError for a missing or an unknown input, RuntimeError for a function that runs no scalar layer,
    what `trace` raises, and what the function raises.

    >>> from backprop.graph import book
    >>> graph = graph_of(book.apple, apple_num=3)
    >>> graph, round(graph["price"], 6), round(graph.gradient("tax"), 6)
    (<Graph apple=100, apple_num=3, tax=1.1; 2 operations>, 330.0, 300.0)
    """
    graph, _ = run_traced(function, **numbers)
    graph.require_output("graph_of")
    return graph


def run_traced(function: Callable[..., Any], **numbers: Any) -> tuple[Graph, Any]:
    """The graph, which may have nothing in it, and what the function returned."""
    name = getattr(function, "__name__", type(function).__name__)
    signature = inspect.signature(function)
    for unknown in numbers.keys() - signature.parameters.keys():
        known = ", ".join(signature.parameters) or "none"
        raise TypeError(f"graph_of: {name} has no input {unknown!r}; its inputs are: {known}")
    try:
        bound = signature.bind(**numbers)
    except TypeError as error:
        raise TypeError(
            f"graph_of: {name} needs a number for every parameter ({error}); give them as defaults, "
            f"def {name}(x=1.0), or in Python, graph_of({name}, x=1.0)"
        ) from None
    bound.apply_defaults()
    with trace() as graph:
        for parameter, number in bound.arguments.items():
            bound.arguments[parameter] = graph.input(parameter, number)
        result = function(*bound.args, **bound.kwargs)
        if graph.operations and all(operation.gradients is None for operation in graph.operations):
            graph.backward()
    return graph, result
