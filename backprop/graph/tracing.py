"""The tracer: inside `with trace() as graph:` the scalar layers record what they compute.

While a tracer is open, `forward` and `backward` of the scalar layers are replaced by methods that record.
When the last one closes, the layers have their own back; so tracing costs nothing when it is off: what runs
then is the very function that stands in `backprop/scalar/`. Other threads are not recorded.
"""

import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from backprop.graph.graph import Graph
from backprop.graph.records import Operation, as_tuple
from backprop.graph.source import Argument, call_in
from backprop.scalar import AddLayer, DivLayer, ExpLayer, LogLayer, MulLayer, ReciprocalLayer, SumLayer

LAYERS = (AddLayer, DivLayer, ExpLayer, LogLayer, MulLayer, ReciprocalLayer, SumLayer)
UNWRITTEN = Argument("", False)
_tracer: ContextVar["_Tracer | None"] = ContextVar("tracer", default=None)
_lock = Lock()
_open: dict[type, tuple[int, dict[str, Any]]] = {}  # by class: how many tracers, and its own methods


class _Tracer:
    """A graph in the making.

    last: for each layer that ran, the operation that its backward belongs to.
    copies: the layers of the operations themselves, whose backward asks and is no pass to be recorded.
    """

    def __init__(self, around: "_Tracer | None") -> None:
        self.graph: Graph = Graph(around.graph if around else None)
        self.last: WeakKeyDictionary[Any, Operation] = WeakKeyDictionary()
        self.copies: WeakSet[Any] = WeakSet()


@contextmanager
def trace(*layers: type) -> Iterator[Graph]:
    """Record the scalar layers in a graph, which draws itself.

    A forward returns a `Value`, a float that knows where it came from. Operands are named as the caller's
    source names them, literal numbers are constants; `graph.input(name, number)` names one otherwise.
    Backward passes are recorded too, or all of them run at once: `graph.backward()`.

    layers: further classes to record, each forward of theirs as one node: with forward(*numbers), which
    returns a number, and backward(dout), which returns a gradient for each, as those of the book have.

    Raises TypeError for a class without the two, and inside the block TypeError for operands that are no real
    numbers, ValueError for a value of another graph, RuntimeError for a backward whose forward was not
    recorded.

    >>> from backprop import MulLayer
    >>> apples, tax = MulLayer(), MulLayer()
    >>> with trace() as graph:
    ...     apple, apple_num = graph.input("apple", 100), graph.input("apple_num", 2)
    ...     price = tax.forward(apples.forward(apple, apple_num), graph.input("tax", 1.1))
    >>> graph.backward()
    >>> graph.gradient("apple"), graph.gradient(price)
    (2.2, 1.0)
    >>> graph.to_svg().startswith("<svg ")
    True
    """
    for cls in layers:
        if not (isinstance(cls, type) and hasattr(cls, "forward") and hasattr(cls, "backward")):
            raise TypeError(f"trace: layers are classes with forward and backward, got {cls!r}")
    recorded = list(dict.fromkeys((*LAYERS, *layers)))
    tracer = _Tracer(_tracer.get())
    token = _tracer.set(tracer)
    _install(recorded)
    try:
        yield tracer.graph
    finally:
        _uninstall(recorded)
        _tracer.reset(token)


def _forward(cls: type, original: Callable[..., Any]) -> Callable[..., Any]:
    where, signature = f"{cls.__name__}.forward", inspect.signature(original)

    @functools.wraps(original)
    def forward(self: Any, *arguments: Any, **named: Any) -> Any:
        tracer = _tracer.get()
        if tracer is None:
            return original(self, *arguments, **named)
        numbers = signature.bind(self, *arguments, **named).args[1:]
        caller = sys._getframe(1)
        call = call_in(caller)
        written = [*call.arguments, *[UNWRITTEN] * len(numbers)][: len(numbers)]
        operands = tuple(
            tracer.graph.operand(where, number, text, caller.f_code)
            for number, text in zip(numbers, written, strict=True)
        )
        with _unrecorded():
            out = original(self, *numbers)
            copied = copy.deepcopy(self)
        tracer.copies.add(copied)
        tracer.last[self] = operation = tracer.graph.record(copied, operands, out, call)
        return operation.out

    return forward


def _backward(cls: type, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def backward(self: Any, dout: Any) -> Any:
        tracer = _tracer.get()
        with _unrecorded():
            gradients = original(self, dout)
        if tracer is not None and self not in tracer.copies:
            operation = tracer.last.get(self)
            if operation is None:
                raise RuntimeError(
                    f"{cls.__name__}.backward: its forward was not recorded; run both inside `with trace()`"
                )
            operation.dout, operation.gradients = float(dout), as_tuple(gradients)
        return gradients

    return backward


@contextmanager
def _unrecorded() -> Iterator[None]:
    """A layer that is built of others is one node: what it calls is not recorded."""
    token = _tracer.set(None)
    try:
        yield
    finally:
        _tracer.reset(token)


def _install(classes: list[type]) -> None:
    with _lock:
        for cls in classes:
            count, own = _open.get(cls) or (0, {name: vars(cls).get(name) for name in METHODS})
            if not count:
                for name, recording in METHODS.items():
                    setattr(cls, name, recording(cls, getattr(cls, name)))
            _open[cls] = count + 1, own


def _uninstall(classes: list[type]) -> None:
    with _lock:
        for cls in classes:
            count, own = _open.pop(cls)
            if count > 1:
                _open[cls] = count - 1, own
                continue
            for name, method in own.items():
                if method is None:
                    delattr(cls, name)  # it was inherited
                else:
                    setattr(cls, name, method)


METHODS: dict[str, Callable[..., Any]] = {"forward": _forward, "backward": _backward}
