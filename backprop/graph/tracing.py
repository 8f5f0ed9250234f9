"""The tracer: inside `with trace() as graph:` the scalar layers record what they compute.

While a tracer is open, recording methods replace `forward` and `backward` of the scalar layers. When the last
tracer closes, the original methods are put back, so tracing costs nothing while it is off. Only the thread
that opened the tracer is recorded.
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
_open: dict[type, tuple[int, dict[str, Any]]] = {}  # by class: open tracers, and the original methods


@contextmanager
def trace(*layers: type) -> Iterator[Graph]:
    """Record what the scalar layers compute inside a `with` block.

    A forward returns a `Value`, a float that remembers where it came from. Operands take their names from the
    caller's source, and literal numbers are constants; `graph.input(name, number)` chooses another name.
    A layer's own backward is recorded too, and `graph.backward()` runs all of them.

    Parameters
    ----------
    *layers : type
        Further classes to record, one node per forward. They need `forward(*numbers)`, which returns a
        number, and `backward(dout)`, which returns a gradient per operand, as the book's layers do.

    Yields
    ------
    Graph

    Raises
    ------
    TypeError
        If a class lacks these methods, or, inside the block, an operand is not a real number.
    ValueError
        Inside the block, if an operand belongs to another graph or was computed from a value without a layer.
    RuntimeError
        Inside the block, if backward runs and its forward was not recorded.

    Notes
    -----
    A variable is a single input until its number changes, even under a second name (`b = a`). Before passing
    a number on through further functions, make it a value: `x = graph.input("x", x)`. The results of
    `math.exp`, `float`, `int` and arrays are plain numbers, and become new inputs.

    Examples
    --------
    >>> from backprop import MulLayer
    >>> from backprop.graph import trace
    >>> apples, tax = MulLayer(), MulLayer()
    >>> with trace() as graph:
    ...     apple, apple_num = graph.input("apple", 100), graph.input("apple_num", 2)
    ...     price = tax.forward(apples.forward(apple, apple_num), graph.input("tax", 1.1))
    ...
    >>> graph.backward()
    >>> graph.gradient("apple"), graph.gradient(price)
    (2.2, 1.0)
    >>> graph.to_svg().startswith("<svg ")
    True
    """
    for cls in layers:
        if not (isinstance(cls, type) and all(_is_method(cls, name) for name in METHODS)):
            raise TypeError(f"trace: layers must be classes with forward and backward, got {shown(cls)}")
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
                delattr(cls, name)  # the original is inherited
            else:
                setattr(cls, name, method)
