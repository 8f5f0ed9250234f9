"""Users' own layers are recorded in every form, and the tracer leaves nothing behind."""

from dataclasses import dataclass

import pytest

from backprop import MulLayer
from backprop.graph import Value, graph_of, trace
from backprop.graph.book import apple
from backprop.graph.tracing import LAYERS
from backprop.scalar import SumLayer


@dataclass
class Scale:
    """A layer without a hash, as dataclasses are."""

    n: float = 3.0

    def forward(self, x):
        return self.n * x

    def backward(self, dout):
        return self.n * dout


class Slotted:
    """A layer without weak references."""

    __slots__ = ()

    def forward(self, x):
        return 3 * x

    def backward(self, d):
        return 3 * d


class WithOptions:
    def forward(self, x, *, scale=1.0):
        self.scale = scale
        return x * scale

    def backward(self, dout=1):
        return [dout * self.scale]


@pytest.mark.parametrize("layer", [Scale(), Slotted(), WithOptions()], ids=lambda layer: type(layer).__name__)
def test_it_is_recorded(layer):
    options = {"scale": 3.0} if isinstance(layer, WithOptions) else {}
    with trace(type(layer)) as graph:
        x = 2.0
        y = layer.forward(x, **options)
        layer.backward(*([] if options else [1.0]))
    assert (y, graph.gradient("x")) == (6.0, 3.0)
    graph.backward()
    assert graph.gradient("x") == 3.0


def test_a_named_argument_of_backward():
    with trace(Slotted) as graph:
        layer = Slotted()
        layer.forward(graph.input("x", 2.0))
        assert layer.backward(d=2.0) == 6.0
    assert graph.gradient("x") == 6.0


class Frozen(type):
    def __setattr__(cls, name, value):
        raise TypeError("this class is frozen")


class Unchangeable(metaclass=Frozen):
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


def test_a_class_that_cannot_be_recorded_leaves_the_others_as_they_were():
    before = {cls: (cls.forward, cls.backward) for cls in LAYERS}
    with pytest.raises(TypeError, match="this class is frozen"), trace(Unchangeable):
        pass
    assert {cls: (cls.forward, cls.backward) for cls in LAYERS} == before
    assert type(MulLayer().forward(2.0, 3.0)) is float, "and no tracer is open"


def test_a_graph_of_another_function_inside_of_one():
    def outer(x=2.0):
        inner = graph_of(apple)
        inner.backward(2.0)
        return MulLayer().forward(x, inner.gradient("apple"))

    graph = graph_of(outer)
    assert graph.gradient("x") == pytest.approx(4.4) and len(graph.operations) == 1


def test_a_value_that_no_graph_made():
    value = Value(3.0)
    assert (value.graph, value.kind, value.name, value + 1) == (None, "", "", 4.0)
    with (
        trace(),
        pytest.raises(ValueError, match="^MulLayer.forward: 3.0 is not a value of this graph"),
    ):
        MulLayer().forward(value, 2.0)


def test_layers_are_given_plain_numbers():
    seen = []

    class Looking:
        def forward(self, x, n):
            seen.extend((type(x), type(n)))
            return x * n

        def backward(self, dout):
            seen.append(type(dout))
            return dout, dout

    with trace(Looking) as graph:
        y = Looking().forward(SumLayer().forward(1.0, 2.0), 2)
        graph.backward(y)
    assert seen == [float, int, float]
