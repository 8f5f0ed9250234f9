"""Wrong calls of layers, tracers and graphs raise one-line errors that say where, and change nothing."""

import math
import threading

import numpy as np
import pytest

from backprop import AddLayer, MulLayer, TwoLayerNet
from backprop.graph import graph_of, network_graph, trace
from backprop.layers import Affine
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network
from backprop.scalar import DivLayer, ExpLayer, LogLayer, ReciprocalLayer, SigmoidLayer, SumLayer

HUGE = 10**400
DURATION = np.timedelta64(3, "s")
NET = TwoLayerNet(4, 3, 2, rng=0)
X, T = np.ones((2, 4)), [0, 1]
ROWS = []


def row(error, words, call, *arguments, **named):
    ROWS.append(pytest.param(error, words, call, arguments, named, id=f"{len(ROWS)} {words}"[:60]))


def forward(layer):
    def run(*operands):
        return layer().forward(*operands)

    return run


def backward(layer, *operands):
    def run(dout):
        made = layer()
        made.forward(*operands)
        return made.backward(dout)

    return run


def traced(cls):
    """Return a call that runs a user's own layer inside a tracer."""

    def run(*operands):
        with trace(cls):
            return cls().forward(*operands)

    return run


def opened(what):
    with trace(what):
        pass


def traced_backward(cls):
    def run():
        with trace(cls):
            layer = cls()
            layer.forward(2.0, 3.0)
            layer.backward(1.0)

    return run


# ------------------------------------------------------------------------------------------ the scalar layers

NUMBER = "x must be a number or an array, got "
row(TypeError, "MulLayer.forward: " + NUMBER + "list", forward(MulLayer), [1, 2], 2)
row(TypeError, "MulLayer.forward: " + NUMBER + "str", forward(MulLayer), "a", 2)
row(TypeError, "AddLayer.forward: y must be a number or an array, got NoneType", forward(AddLayer), 1.0, None)
row(TypeError, "SumLayer.forward: " + NUMBER + "list", forward(SumLayer), [1, 2, 3])
row(TypeError, "SumLayer.forward: x_3 must be a number", forward(SumLayer), 1.0, 2.0, {})
row(TypeError, "ExpLayer.forward: " + NUMBER + "bytes", forward(ExpLayer), b"1")
row(TypeError, "LogLayer.forward: " + NUMBER + "set", forward(LogLayer), {1.0})
row(TypeError, "SigmoidLayer.forward: " + NUMBER + "tuple", forward(SigmoidLayer), (1.0,))
row(TypeError, "MulLayer.forward: x must hold numbers, got an array of bool", forward(MulLayer), X > 0, 2)
row(
    TypeError,
    "AddLayer.forward: x must hold numbers, got an array of ob",
    forward(AddLayer),
    X.astype("O"),
    2,
)
row(ValueError, "AddLayer.forward: x, y must have shapes that broadcast", forward(AddLayer), X, np.ones(3))
row(ValueError, "MulLayer.forward: x must fit into a float, got int", forward(MulLayer), HUGE, 0.5)
row(OverflowError, "ExpLayer.forward: x must be below 709.78", forward(ExpLayer), 1000.0)
row(OverflowError, "ExpLayer.forward: x must be below 709.78", forward(ExpLayer), 1000.0 + 1j)
row(
    OverflowError,
    "ExpLayer.forward: x must be below 709.78, .* got 1000.*; softmax",
    forward(ExpLayer),
    10**300,
)
row(ValueError, "LogLayer.forward: x must be above 0, got -1000.*; for a", forward(LogLayer), -(10**300))
row(ValueError, "LogLayer.forward: x must be above 0, got 0", forward(LogLayer), 0)
row(ValueError, "LogLayer.forward: x must be above 0, got -1.5", forward(LogLayer), -1.5)
row(ZeroDivisionError, "DivLayer.forward: y must not be 0, got 1.0 / 0", forward(DivLayer), 1.0, 0)
row(ZeroDivisionError, "DivLayer.forward: y must not be 0", forward(DivLayer), np.float64(1), np.float64(0))
row(ZeroDivisionError, "ReciprocalLayer.forward: x must not be 0", forward(ReciprocalLayer), 0.0)
row(TypeError, "MulLayer.backward: dout must be a number or", backward(MulLayer, 2.0, 3.0), [1, 2])
row(TypeError, "SigmoidLayer.backward: dout must be a number or", backward(SigmoidLayer, 2.0), None)
row(ValueError, "AddLayer.backward: dout must have the shape", backward(AddLayer, 2.0, 3.0), np.ones(3))
row(TypeError, "MulLayer.backward: dout must be real, .* got 1j", backward(MulLayer, X, 3.0), 1j)
row(TypeError, "MulLayer.forward: " + NUMBER + "numpy.timedelta64", forward(MulLayer), DURATION, 2.0)
row(RuntimeError, "SigmoidLayer.backward: call forward first", SigmoidLayer().backward, 1.0)

# --------------------------------------------------------------------------------------------- layers, traced


class Own:
    def forward(self, x, y):
        return x * y

    def backward(self, dout):
        return dout, dout


class NoNumber(Own):
    def forward(self, x, y):
        return None


class Text(Own):
    def backward(self, dout):
        return "1", "2"


class TooFew(Own):
    def backward(self, dout):
        return dout


class NoGradient(Own):
    def backward(self, dout):
        return dout, None


class Locked(Own):
    def __init__(self):
        self.lock = threading.Lock()


class Static(Own):
    @staticmethod
    def forward(x, y):
        return x * y


for what in (3, "MulLayer", MulLayer(), int, None, Static, np.ones(9)):
    row(
        TypeError,
        "trace: layers must be classes with forward and backward, got",
        opened,
        what,
    )
row(
    TypeError,
    "NoNumber.forward: a graph holds real numbers, but its result is No",
    traced(NoNumber),
    1.0,
    2.0,
)
row(TypeError, "Own.forward: a graph holds real numbers, but an operand is NoneT", traced(Own), None, 2.0)
row(TypeError, "Own.forward: missing a required argument: 'y'", traced(Own), 1.0)
row(TypeError, "Own.forward: too many positional arguments", traced(Own), 1.0, 2.0, 3.0)
row(TypeError, "Locked.forward: a tracer copies the layer, which failed", traced(Locked), 1.0, 2.0)
row(TypeError, "Text.backward: a graph holds real numbers, but a returned gradient", traced_backward(Text))
row(ValueError, "TooFew.backward: must return a gradient per operand, 2 ", traced_backward(TooFew))
row(TypeError, "NoGradient.backward: a graph holds real numbers, but", traced_backward(NoGradient))

# -------------------------------------------------------------------------------------------------- functions


def price(apple=100.0, n=2.0):
    return MulLayer().forward(apple, n)


async def later(x=1.0):
    return MulLayer().forward(x, 2)


def lazy(x=1.0):
    yield MulLayer().forward(x, 2)


async def later_and_lazy(x=1.0):
    yield MulLayer().forward(x, 2)


def starred(*xs):
    return SumLayer().forward(*xs)


def doubly_starred(**xs):
    return SumLayer().forward(*xs.values())


def without(x, y=2.0):
    return MulLayer().forward(x, y)


def positional(x, /):
    return MulLayer().forward(x, 2)


def with_a_text(x="1"):
    return MulLayer().forward(x, 2)


def two(x=2.0):
    return MulLayer().forward(x, 2), AddLayer().forward(x, 2)


def alike(a=2.0, b=3.0):
    p = MulLayer().forward(a, b)
    q = AddLayer().forward(2.0, 4.0)
    return float(p), q


def own_output(output=2.0):
    return ExpLayer().forward(output)


def huge(x=2.0):
    MulLayer().forward(x, 2.0)
    return HUGE


def nothing(x=2.0):
    return x


def leaves(x=2.0):
    return MulLayer().forward(x, 2) + 500


def bare(x=2.0):
    MulLayer().forward(x, 2)
    return math.pi


def complex_result(x=2.0):
    return MulLayer().forward(x, 2) * 1j


PLAIN = "graph_of: function must be a plain one"
row(TypeError, PLAIN, graph_of, None)
row(TypeError, PLAIN, graph_of, 3)
row(TypeError, PLAIN, graph_of, "apple")
row(TypeError, PLAIN + ".*, got <backprop", graph_of, MulLayer())
row(TypeError, PLAIN + ".*, got the class MulLayer", graph_of, MulLayer)
row(TypeError, PLAIN + ".*, got the async function later", graph_of, later)
row(TypeError, PLAIN + ".*, got the generator function lazy", graph_of, lazy)
row(TypeError, PLAIN + ".*, got the generator function later_and_lazy", graph_of, later_and_lazy)
row(TypeError, r"graph_of: print takes \*args", graph_of, print)
row(TypeError, "graph_of: the parameters of max are unknown", graph_of, max)
row(TypeError, r"graph_of: starred takes \*xs", graph_of, starred)
row(TypeError, r"graph_of: doubly_starred takes \*\*xs", graph_of, doubly_starred, a=1.0)
row(TypeError, "graph_of: without needs a number for every parameter .*'x'", graph_of, without)
row(TypeError, "graph_of: <lambda> needs a number for every parameter", graph_of, lambda x: x)
row(TypeError, "graph_of: positional needs a number for every parameter", graph_of, positional, x=2.0)
row(TypeError, "graph_of: price has no input 'pear'; its inputs are: apple, n", graph_of, price, pear=2.0)
row(TypeError, "Graph.input: a graph holds real numbers, but x is str", graph_of, with_a_text)
row(TypeError, "Graph.input: .* but apple is list", graph_of, price, apple=[1.0])
row(TypeError, "Graph.input: .* but apple is complex", graph_of, price, apple=1j)
row(ValueError, "Graph.input: apple must fit into a float", graph_of, price, apple=HUGE)
row(
    TypeError,
    "graph_of: function must be .* got the method of a layer: forward$",
    graph_of,
    MulLayer().forward,
    x=1.0,
    y=2.0,
)
row(RuntimeError, "graph_of: nothing was recorded", graph_of, nothing)
row(ValueError, "graph_of: leaves returns a number that no layer computed: 4 . 500 = 504", graph_of, leaves)
row(ValueError, "graph_of: bare returns 3.14159, which no layer computed", graph_of, bare)
row(ValueError, "graph_of: two returns 4, 4; choose one, graph_of.two, output=", graph_of, two)
row(
    ValueError,
    "graph_of: output must be a name, or an index into what two returns .length 2.,",
    graph_of,
    two,
    output=2,
)
row(
    ValueError,
    "graph_of: output must be a name, or an index into what two returns .length 2.,",
    graph_of,
    two,
    output=-3,
)
row(
    ValueError,
    "graph_of: output must be a name, or an index into what two returns .length 2.,",
    graph_of,
    two,
    output=True,
)
row(
    ValueError,
    "graph_of: output must be a name, or an index into what two returns .length 2.,",
    graph_of,
    two,
    output=False,
)
row(
    ValueError,
    "graph_of: output must be a name, or an index into what two returns .length 2.,",
    graph_of,
    two,
    output=0.0,
)
row(KeyError, "Graph: no value is named 'sum'; the names are: x", graph_of, two, output="sum")
row(ValueError, "graph_of: alike returns 6, which could be any of p, q; return the", graph_of, alike)
row(ValueError, "graph_of: huge returns 1000.*, which no layer computed", graph_of, huge)
row(TypeError, "Graph.input: .*real numbers, but apple is numpy.timedelta64", graph_of, price, apple=DURATION)
row(TypeError, "graph_of: output=... chooses a result, but own_output has", graph_of, own_output, output=3.0)
row(ValueError, "graph_of: output must be a result, got the input 2.0", graph_of, two, output="x")

# ----------------------------------------------------------------------------------------------------- graphs

GRAPH = graph_of(price)
with trace() as OTHER:
    FOREIGN = MulLayer().forward(2.0, 3.0)
with trace() as EMPTY:
    EMPTY.input("x", 1.0)
row(TypeError, "Graph.backward: dout must be a number, got 'apple'", GRAPH.backward, "apple")
row(TypeError, "Graph.backward: .*real numbers, but dout is list", GRAPH.backward, [1.0])
row(TypeError, "Graph.backward: .*real numbers, but dout is complex", GRAPH.backward, 1j)
row(ValueError, "Graph.backward: dout must fit into a float", GRAPH.backward, HUGE)
row(KeyError, "Graph: no value is named 'pear'; the names are: apple, n", GRAPH.backward, output="pear")
row(
    ValueError,
    "Graph.backward: output must be a name, or an index into outputs .length 1.,",
    GRAPH.backward,
    output=1,
)
row(
    ValueError,
    "Graph.backward: output must be a name, or an index into outputs .length 1.,",
    GRAPH.backward,
    output=False,
)
row(TypeError, "Graph.backward: needs a value of this graph, got 200.0", GRAPH.backward, output=200.0)
row(ValueError, "Graph.backward: FOREIGN = 6.0 is not a value of this graph", GRAPH.backward, output=FOREIGN)
row(ValueError, "Graph.backward: output must be a result, got the input", GRAPH.backward, output="apple")
row(RuntimeError, "Graph.backward: nothing was recorded", EMPTY.backward)
row(KeyError, "Graph: no value is named 'pear'", GRAPH.gradient, "pear")
row(KeyError, "Graph: no value is named 'nnn", GRAPH.__getitem__, "n" * 999)
row(KeyError, "Graph: no value is named 3", GRAPH.__getitem__, 3)
row(KeyError, "Graph: no value is named array.*", GRAPH.__getitem__, np.ones((2, 2)))
row(TypeError, "Graph.backward: .*real numbers, but dout is numpy.timedelta64", GRAPH.backward, DURATION)
row(TypeError, "Graph.gradient: needs a value of this graph, got None", GRAPH.gradient, None)
row(TypeError, "Graph.gradient: needs a value of this graph, got", GRAPH.gradient, np.ones((99, 99)))
row(ValueError, "Graph.gradient: FOREIGN = 6.0 is not a value of this graph", GRAPH.gradient, FOREIGN)
row(TypeError, "Graph.input: name must be a string, got int", GRAPH.input, 3, "x")
row(TypeError, "Graph.input: .*real numbers, but x is NoneType", GRAPH.input, "x", None)
row(ValueError, "Graph.input: name must be one line of printable text", GRAPH.input, "a\nb", 1.0)
row(ValueError, "Graph.input: name must be one line of printable text", GRAPH.input, "\x00", 1.0)
row(
    ValueError,
    "Graph.input: name must be one line of printable text",
    GRAPH.input,
    "\ud800" * 99,
    1.0,
)
row(TypeError, "Graph.input: .*real numbers, but nnnn", GRAPH.input, "n" * 999, [])
row(TypeError, "Graph.constant: .*real numbers, but number is str", GRAPH.constant, "1")
row(TypeError, "Graph.name: needs a value of this graph, got 200.0", GRAPH.name, "total", 200.0)
for draw in ("to_svg", "to_html", "to_mermaid", "to_dot"):
    row(ValueError, "Graph: digits must be at most 17, got 100", getattr(GRAPH, draw), digits=100)
    row(RuntimeError, "Graph: nothing was recorded", getattr(EMPTY, draw))
row(ValueError, "Graph: digits must be at least 1, got 0", GRAPH.to_svg, digits=0)
row(ValueError, "Graph: digits must be at most 1e.15, got int of more than", GRAPH.to_svg, digits=10**5000)
row(TypeError, "Graph: digits must be an integer, got True", GRAPH.to_svg, digits=True)
row(TypeError, "Graph: digits must be an integer, got '4'", GRAPH.diagram, digits="4")
row(TypeError, "Graph: local must be True or False, got 'no'", GRAPH.to_svg, local="no")

# --------------------------------------------------------------------------------------------------- networks


class Forgets:
    def forward(self, x):
        return 2 * x

    def backward(self, dout):
        pass


class NoLoss:
    def forward(self, y, t):
        return [1.0, 2.0]

    def backward(self, dout=1):
        return dout


def network(layer, loss=None):
    return Network([Affine(3), layer, Affine(2)], loss or SoftmaxCrossEntropy(), 4, 2, rng=0)


row(TypeError, "network_graph: a network has layers, .*NoneType has no layers", network_graph, None, X, T)
row(
    TypeError,
    "network_graph: a network has layers, .*but the class TwoLayerNet has no",
    network_graph,
    TwoLayerNet,
    X,
    T,
)
row(TypeError, "network_graph: a network has layers, .*Graph has no", network_graph, GRAPH, X, T)
row(TypeError, "network_graph: x must hold numbers", network_graph, NET, None, T)
row(TypeError, "network_graph: labels must hold numbers", network_graph, NET, X, None)
row(ValueError, "network_graph: x must hold at least one sample", network_graph, NET, X[:0], [])
row(ValueError, "network_graph: x must be finite, got nan at", network_graph, NET, X * math.nan, T)
row(ValueError, "network_graph: labels must lie in 0..1", network_graph, NET, X, [0, 7])
row(ValueError, "network_graph: x must have shape", network_graph, NET, np.ones((2, 3, 4, 5)), T)
row(TypeError, "Forgets.backward must return an array, got None", network_graph, network(Forgets()), X, T)
row(
    TypeError,
    "NoLoss.forward must return the mean loss as one number",
    network_graph,
    network(Affine(2), NoLoss()),
    X,
    T,
)
row(ValueError, "NetworkGraph: digits must be at most 17", network_graph(NET, X, T).to_html, digits=18)


@pytest.mark.parametrize(("error", "words", "call", "arguments", "named"), ROWS)
def test_it_is_told_in_one_line_and_nothing_has_changed(error, words, call, arguments, named):
    graphs = GRAPH, OTHER, EMPTY
    before = [graph.to_dict() for graph in graphs]
    methods = [(cls.forward, cls.backward) for cls in (MulLayer, SigmoidLayer, Own)]
    with pytest.raises(error, match=f"^[\"']?{words}") as caught:
        call(*arguments, **named)
    text = caught.value.args[0]
    assert type(caught.value) is error
    assert "\n" not in text and len(text) <= 200, len(text)
    assert [graph.to_dict() for graph in graphs] == before
    assert [(cls.forward, cls.backward) for cls in (MulLayer, SigmoidLayer, Own)] == methods


def test_the_table_is_long_and_has_every_public_name():
    assert len(ROWS) >= 100
    called = {getattr(each.values[2], "__qualname__", "") for each in ROWS}
    assert {"graph_of", "network_graph", "Graph.backward", "Graph.gradient", "Picture.to_svg"} <= called
