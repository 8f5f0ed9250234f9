"""The tracer: inside `with trace() as graph:` the scalar layers record what they compute.

While a tracer is open, `forward` and `backward` of the scalar layers are replaced by methods that record.
When the last one closes, the layers have their own back; so tracing costs nothing when it is off: what runs
then is the very function that stands in `backprop/scalar/`. Other threads are not recorded.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from backends import shown
from backprop.graph.current import current
from backprop.graph.graph import Graph
from backprop.graph.methods import Tracer, recording_backward, recording_forward
from backprop.graph.of_values import LAYERS

METHODS = {"forward": recording_forward, "backward": recording_backward}
_lock = Lock()
_open: dict[type, tuple[int, dict[str, Any]]] = {}  # by class: how many tracers, and its own methods


@contextmanager
def trace(*layers: type) -> Iterator[Graph]:
    """Record the scalar layers in a graph, which draws itself.

    A forward returns a `Value`, a float that knows where it came from. Operands are named as the caller's
    source names them, literal numbers are constants; `graph.input(name, number)` names one otherwise.
    Backward passes are recorded too, or all of them run at once: `graph.backward()`.

    One variable of a function is one input until its number changes, also under a second name (`b = a`).
    A number that goes through further functions is made a value first: `x = graph.input("x", x)`.
    What `math.exp`, `float`, `int` or an array make of a value is a bare number: an input of its own.

    layers: further classes to record, each forward of theirs as one node: with forward(*numbers), which
    returns a number, and backward(dout), which returns a gradient for each, as those of the book have.

    Raises TypeError for a class without the two, and inside the block TypeError for operands that are no real
    numbers, ValueError for a value of another graph and for what was computed of a value outside of the
    layers, RuntimeError for a backward whose forward was not recorded.

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
        if not (isinstance(cls, type) and all(_is_method(cls, name) for name in METHODS)):
            raise TypeError(f"trace: layers are classes with forward and backward, got {shown(cls)}")
    tracer = Tracer(current.get())
    token = current.set(tracer)
    recorded: list[type] = []
    try:
        for cls in dict.fromkeys((*LAYERS, *layers)):
            _install(cls)
            recorded.append(cls)
        yield tracer.graph
    finally:
        for cls in recorded:
            _uninstall(cls)
        current.reset(token)


def _is_method(cls: type, name: str) -> bool:
    method = inspect.getattr_static(cls, name, None)
    return callable(method) and not isinstance(method, (staticmethod, classmethod, type))


def _install(cls: type) -> None:
    with _lock:
        count, own = _open.get(cls) or (0, {name: vars(cls).get(name) for name in METHODS})
        if not count:
            for name, recording in METHODS.items():
                setattr(cls, name, recording(cls, getattr(cls, name)))
        _open[cls] = count + 1, own


def _uninstall(cls: type) -> None:
    with _lock:
        count, own = _open.pop(cls)
        if count > 1:
            _open[cls] = count - 1, own
            return
        for name, method in own.items():
            if method is None:
                delattr(cls, name)  # it was inherited
            else:
                setattr(cls, name, method)
