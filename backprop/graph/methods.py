"""The recording methods that replace a layer's own while a tracer is open."""

import copy
import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from backends import cut
from backprop.graph.current import current, unrecorded
from backprop.graph.graph import Graph
from backprop.graph.outside import plain
from backprop.graph.records import Operation, number_of
from backprop.graph.source import Argument, call_in

UNWRITTEN = Argument("", False)
_signature = functools.lru_cache(maxsize=64)(inspect.signature)  # each tracer needs those of all layers


class Tracer:
    """A graph while it is recorded.

    last: by id of a layer, the layer and the operation of its latest forward.
    """

    def __init__(self, around: "Tracer | None") -> None:
        self.graph: Graph = Graph(around.graph if around else None)
        self.last: dict[int, tuple[Any, Operation]] = {}  # the layer is kept alive, so its id stays unique


def recording_forward(cls: type, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a forward of a class that runs the original and records it."""
    where, signature = f"{cls.__name__}.forward", _signature(original)

    @functools.wraps(original)
    def forward(self: Any, *arguments: Any, **named: Any) -> Any:
        tracer = current.get()
        if tracer is None:
            return original(self, *arguments, **named)
        bound = _bound(where, signature, self, *arguments, **named)
        numbers = bound.args[1:]
        caller = sys._getframe(1)
        call = call_in(caller)
        written = [*call.arguments, *[UNWRITTEN] * len(numbers)][: len(numbers)]
        operands = tuple(
            tracer.graph.operand(where, number, text, caller.f_code)
            for number, text in zip(numbers, written, strict=True)
        )
        with unrecorded():
            out = original(self, *map(plain, numbers), **bound.kwargs)
            copied = _copied(where, self)
        operation = tracer.graph.record(copied, operands, out, call)
        tracer.last[id(self)] = self, operation
        return operation.out

    return forward


def recording_backward(cls: type, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward of a class that runs the original and records its argument and result."""
    where, signature = f"{cls.__name__}.backward", _signature(original)

    @functools.wraps(original)
    def backward(self: Any, *arguments: Any, **named: Any) -> Any:
        tracer = current.get()
        if tracer is None:
            return original(self, *arguments, **named)
        bound = _bound(where, signature, self, *arguments, **named)
        bound.apply_defaults()
        douts = [number_of(where, "dout", dout) for dout in bound.args[1:]]
        with unrecorded():
            gradients = original(self, *douts)
        if id(self) not in tracer.last:
            raise RuntimeError(f"{where}: the forward was not recorded; run both inside `with trace()`")
        _, operation = tracer.last[id(self)]
        operation.dout, operation.gradients = douts[0], operation.checked(gradients)
        return gradients

    return backward


def _bound(where: str, signature: inspect.Signature, *arguments: Any, **named: Any) -> inspect.BoundArguments:
    try:
        return signature.bind(*arguments, **named)
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from None


def _copied(where: str, layer: Any) -> Any:
    """Return a copy of the layer, which later forwards do not change."""
    try:
        return copy.deepcopy(layer)
    except Exception as error:
        cause = cut(f"{type(error).__name__}: {error}", 90)
        raise TypeError(f"{where}: a tracer copies the layer, which failed ({cause})") from error
