"""`graph_of`: the graph of a function over the scalar layers, whose parameters are the inputs."""

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
UNTRACEABLE: dict[str, Callable[[Any], bool]] = {
    "the class": inspect.isclass,
    "the method of a layer:": lambda function: isinstance(getattr(function, "__self__", None), ScalarLayer),
    "the async function": inspect.iscoroutinefunction,
    "the generator function": lambda function: (
        inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    ),
}


def graph_of(function: Callable[..., Any], /, *, output: str | int | None = None, **numbers: Any) -> Graph:
    """Run a function under a tracer and return its graph, with gradients.

    The backward passes run afterwards, unless the function has run some itself.

    Parameters
    ----------
    function : callable
        A plain function over the scalar layers, such as `def price(apple=100, tax=1.1): ...`.
    output : str or int, optional
        The result to differentiate if there are several: its name, or its index in what the function returns
        (in `Graph.outputs`, if it returns no numbers).
    **numbers : float
        Inputs by name. The others take their defaults.

    Returns
    -------
    Graph

    Raises
    ------
    TypeError
        If `function` cannot be traced, or an input is missing or unknown.
    ValueError
        If the function returns a number that no layer computed, or has several outputs and none is chosen.
    RuntimeError
        If the function runs no scalar layer.
    Exception
        Whatever `trace` or the function itself raises.

    Examples
    --------
    >>> from backprop.graph import book, graph_of
    >>> graph = graph_of(book.apple, apple_num=3)
    >>> graph, round(graph["price"], 6), round(graph.gradient("tax"), 6)
    (<Graph apple=100, apple_num=3, tax=1.1; 2 operations>, 330.0, 300.0)
    """
    graph, _ = run_traced(function, output, **numbers)
    if not graph.operations:
        raise RuntimeError(
            f"graph_of: nothing was recorded: {_name(function)} runs no scalar layer, such as MulLayer; "
            "layers of your own are recorded inside `with trace(YourLayer):`"
        )
    return graph


def run_traced(
    function: Callable[..., Any], output: str | int | None = None, /, **numbers: Any
) -> tuple[Graph, Any]:
    """Return the graph, which may be empty, and the result of the function."""
    bound = _inputs(function, numbers)
    if output is not None and "output" in bound.arguments:
        rule = f"output=... chooses a result, but {_name(function)} has an input named output; rename it"
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
    """Return the bound arguments. Raises TypeError if the function cannot be called with numbers by name."""
    name = _name(function)
    wrong = next((f"{kind} {name}" for kind, fits in UNTRACEABLE.items() if fits(function)), "")
    if wrong or not callable(function):
        rule = "function must be a plain one, as def f(x=1.0): ..., that returns the result of scalar layers"
        raise TypeError(f"graph_of: {rule}, got {wrong or shown(function)}")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise TypeError(f"graph_of: the parameters of {name} are unknown; wrap it in a function") from None
    for parameter in signature.parameters.values():
        if parameter.kind in STARRED:
            rule = f"{name} takes {cut(str(parameter), 30)}, but each input needs a named parameter"
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
