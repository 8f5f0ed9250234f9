"""The tracer records the scalar layers, refuses what it cannot record, and leaves nothing behind."""

import copy
import pickle
import threading

import numpy as np
import pytest
from boxes import faults

from backprop import AddLayer, MulLayer
from backprop.graph import Graph, Value, graph_of, trace
from backprop.graph.tracing import LAYERS
from backprop.scalar import DivLayer, ExpLayer, LogLayer, ReciprocalLayer, ScalarLayer, SigmoidLayer, SumLayer


def names(graph):
    return [value.name for value in graph.values]


def test_the_program_of_the_book_as_it_stands():
    with trace() as graph:
        apple = 100
        apple_num = 2
        tax = 1.1
        mul_apple_layer = MulLayer()
        mul_tax_layer = MulLayer()
        apple_price = mul_apple_layer.forward(apple, apple_num)
        price = mul_tax_layer.forward(apple_price, tax)
        dprice = 1
        dapple_price, dtax = mul_tax_layer.backward(dprice)
        dapple, dapple_num = mul_apple_layer.backward(dapple_price)
    assert names(graph) == ["apple", "apple_num", "apple_price", "tax", "price"]
    assert (dapple, dapple_num, dtax) == (2.2, 110.00000000000001, 200)
    assert [graph.gradient(name) for name in names(graph)] == [2.2, dapple_num, 1.1, 200, 1]
    assert [value.kind for value in graph.values] == ["input", "input", "result", "input", "result"]
    assert graph.outputs == [price] and graph["price"] is price
    assert isinstance(price, float) and price == MulLayer().forward(200, 1.1)


def test_when_it_is_off_the_layers_are_as_written():
    before = {cls: (cls.forward, cls.backward) for cls in LAYERS}
    with trace(), trace():
        assert all(cls.forward is not before[cls][0] for cls in LAYERS)
    assert {cls: (cls.forward, cls.backward) for cls in LAYERS} == before
    assert all(cls.forward.__code__.co_filename.endswith("py") for cls in LAYERS)
    with pytest.raises(RuntimeError, match="midway"), trace():
        raise RuntimeError("midway")
    assert {cls: (cls.forward, cls.backward) for cls in LAYERS} == before
    assert type(MulLayer().forward(2.0, 3.0)) is float


def test_every_layer_can_be_recorded():
    simple = {cls for cls in ScalarLayer.__subclasses__() if cls.__module__.startswith("backprop.scalar")}
    assert set(LAYERS) == simple


def test_literals_are_constants_and_a_use_is_a_value_of_its_own():
    with trace() as graph:
        x = 0.5
        y = AddLayer().forward(MulLayer().forward(x, -1), 1)
    assert [(v.kind, float(v)) for v in graph.values] == [
        ("input", 0.5), ("constant", -1), ("result", -0.5), ("constant", 1), ("result", 0.5),
    ]  # fmt: skip
    assert y.name == "y"


def test_one_variable_is_one_input_until_its_number_changes():
    with trace() as graph:
        w = 3.0
        for x in (1.0, 2.0):
            MulLayer().forward(w, x)
        w = 4.0
        MulLayer().forward(w, x)
    assert [(v.name, float(v)) for v in graph.values if v.kind == "input"] == [
        ("w", 3.0), ("x", 1.0), ("x", 2.0), ("w", 4.0),
    ]  # fmt: skip
    assert graph["w"] == 4.0, "the last one"


def test_equal_numbers_of_one_name_are_inputs_of_their_own():
    with trace() as graph:
        for score in [float("1.5"), float("1.5")]:
            MulLayer().forward(score, score)
    assert [v.name for v in graph.values] == ["score", "", "score", ""]


def test_names_as_they_are_written():
    class Box:
        width = 2.0

    sizes, a_name_that_is_long, another = [3.0], 4.0, 5.0
    with trace() as graph:
        SumLayer().forward(Box.width, sizes[0], a_name_that_is_long + another, another**2)
        MulLayer().forward(*sizes, 1.0)
        area: float = MulLayer().forward(y=Box.width, x=3)
        if (last := AddLayer().forward(area, 0)) and last:
            pass
    assert names(graph) == [
        "Box.width", "sizes[0]", "x1", "another ** 2", "", "x2", "x3", "", "x4", "x5", "area", "", "last",
    ]  # fmt: skip


def test_code_without_a_source_has_inputs_with_numbers():
    scope = {"MulLayer": MulLayer}
    with trace() as graph:
        x2 = 7.0
        AddLayer().forward(x2, x2)
        exec("out = MulLayer().forward(2.0, 3.0)", scope)
    assert names(graph) == ["x2", "", "x1", "x3", ""] and scope["out"] == 6.0
    assert ">x₃<" in graph.to_svg()


def test_a_name_of_the_users_own():
    with trace() as graph:
        x = graph.input("りんご", 100)
        y = graph.name("代金", MulLayer().forward(x, graph.constant(2)))
    graph.backward()
    assert graph["代金"] is y and graph.gradient("りんご") == 2.0
    assert "りんご" in graph.to_svg()


class Taken:
    """Return the sigmoid, computed from the book's four layers."""

    def __init__(self):
        self.times, self.exp, self.plus, self.reciprocal = (
            MulLayer(),
            ExpLayer(),
            AddLayer(),
            ReciprocalLayer(),
        )

    def forward(self, x):
        return self.reciprocal.forward(self.plus.forward(self.exp.forward(self.times.forward(x, -1)), 1))

    def backward(self, dout):
        dplus, _ = self.plus.backward(self.reciprocal.backward(dout))
        dx, _ = self.times.backward(self.exp.backward(dplus))
        return dx


def test_a_composite_layer_is_recorded_in_its_parts():
    with trace() as graph:
        sigmoid = Taken()
        y = sigmoid.forward(graph.input("x", 1.0))
        dx = sigmoid.backward(1.0)
    assert [operation.kind for operation in graph.operations] == [
        "MulLayer", "ExpLayer", "AddLayer", "ReciprocalLayer",
    ]  # fmt: skip
    assert graph.gradient("x") == dx == pytest.approx(y * (1 - y))


def test_a_subclass_is_recorded_once_and_under_its_own_name():
    class Loud(MulLayer):
        def forward(self, x, y):
            return super().forward(x, y)

        def backward(self, dout):
            return super().backward(dout)

    with trace() as graph:
        layer = Loud()
        layer.forward(2.0, 3.0)
        layer.backward(1.0)
    graph.backward()
    (operation,) = graph.operations
    assert operation.kind == "Loud" and operation.gradients == (3.0, 2.0)
    assert "Loud" in graph.to_mermaid()


class OwnMul:
    """Run the book's program as a reader types it."""

    def __init__(self):
        self.x = None
        self.y = None

    def forward(self, x, y):
        self.x = x
        self.y = y
        return x * y

    def backward(self, dout):
        return dout * self.y, dout * self.x


class Heir(OwnMul):
    pass


@pytest.mark.parametrize("cls", [OwnMul, Heir])
def test_layers_of_the_users_own(cls):
    before = {name: vars(cls).get(name) for name in ("forward", "backward")}
    with trace(cls) as graph, trace(cls), trace():
        pass
    with trace(cls) as graph:
        apples, tax = cls(), cls()
        apple = 100
        price = tax.forward(apples.forward(apple, 2), 1.1)
        apples.backward(tax.backward(1)[0])
    assert {name: vars(cls).get(name) for name in before} == before
    assert price == 220.00000000000003 and graph.gradient("apple") == 2.2
    graph.backward()
    assert graph.gradient("apple") == 2.2
    for local in (False, True):
        assert list(faults(graph.to_svg(local=local))) == []
    assert f">{cls.__name__}<" in graph.to_svg()


def test_a_layer_that_is_built_of_others_is_one_node_where_it_is_named():
    layer = Taken()
    with trace(Taken) as graph:
        layer.forward(graph.input("x", 1.0))
        y = layer.forward(graph.input("x2", -3.0))
    graph.backward(output=graph.outputs[0])
    assert [operation.kind for operation in graph.operations] == ["Taken"] * 2
    assert graph.gradient("x") == pytest.approx(0.19661193324148185), "and later forwards change nothing"
    assert y == pytest.approx(SigmoidLayer().forward(-3.0))


@pytest.mark.parametrize("what", [3, "MulLayer", MulLayer(), int])
def test_what_cannot_be_recorded(what):
    with (
        pytest.raises(TypeError, match="^trace: layers must be classes with forward and backward, got "),
        trace(what),
    ):
        pass


def test_a_layer_that_runs_twice_keeps_both_forwards():
    layer = MulLayer()
    with trace() as graph:
        a, b = 2.0, 3.0
        out = layer.forward(layer.forward(a, b), b)
    graph.backward()
    assert out == 18.0 and graph.gradient("a") == 9.0
    assert graph.gradient("b") == 12.0, "2 a b, from both of its uses"


def test_another_thread_is_not_recorded():
    results = []
    with trace() as graph:
        thread = threading.Thread(target=lambda: results.append(MulLayer().forward(2.0, 3.0)))
        thread.start()
        thread.join()
    assert results == [6.0] and type(results[0]) is float and graph.operations == []


def test_a_tracer_within_a_tracer_records_alone():
    with trace() as outer:
        AddLayer().forward(1.0, 2.0)
        with trace() as inner:
            MulLayer().forward(3.0, 4.0)
        ExpLayer().forward(0.0)
    assert [o.kind for o in outer.operations] == ["AddLayer", "ExpLayer"]
    assert [o.kind for o in inner.operations] == ["MulLayer"]


def test_a_value_of_the_tracer_around_is_an_input():
    with trace() as outer:
        y = MulLayer().forward(outer.input("x", 2.0), 3)
        with trace(), trace() as inner:
            AddLayer().forward(y, y)
        AddLayer().forward(y, 1)
    inner.backward()
    assert [(v.name, v.kind, float(v)) for v in inner.values] == [("y", "input", 6.0), ("", "result", 12.0)]
    assert inner.gradient("y") == 2.0 and len(outer.operations) == 2


def test_a_value_is_a_number_wherever_it_goes():
    with trace() as graph:
        value = MulLayer().forward(2.0, 3.5)
    assert type(value) is Value and value.graph is graph
    assert repr(value) == "7.0" and f"{value:.2f}" == "7.00"
    for number in (value + 1, 1 + value, value * value, -value, abs(value), value**2, 2**value, value % 2):
        assert isinstance(number, float) and type(copy.copy(number)) is float
    assert (value + 1, 1 - value, (value + 1) / 2, divmod(value, 2)) == (8.0, -6.0, 4.0, (3.0, 1.0))
    assert value == 7 and hash(value) == hash(7.0) and sum([value, value]) == 14.0
    for twin in (copy.deepcopy(value), copy.copy(value), pickle.loads(pickle.dumps(value))):
        assert type(twin) is float and twin == 7.0


# ------------------------------------------------------------------------------------------ what goes wrong


def test_operands_that_are_no_real_numbers():
    x, z = np.ones(3), 1j
    with trace():
        with pytest.raises(
            TypeError, match=r"^MulLayer.forward: a graph holds real numbers, but x is numpy.nd"
        ):
            MulLayer().forward(x, 2.0)
        with pytest.raises(TypeError, match=r"network_graph\(net, x, t\)"):
            ExpLayer().forward(x)
        with pytest.raises(TypeError, match="but z is complex"):
            ExpLayer().forward(z)
        with pytest.raises(TypeError, match="missing a required argument: 'y'"):
            MulLayer().forward(2.0)


def test_names_that_are_none_and_digits_that_are_none():
    with trace() as graph:
        with pytest.raises(
            TypeError, match="^Graph.input: name must be a string, got int; the name comes first"
        ):
            graph.input(3, 100)
        y = MulLayer().forward(graph.input("x", 100), 2)
        with pytest.raises(TypeError, match="^Graph.name: name must be a string, got tuple"):
            graph.name((), y)
    for digits, error in ((0, ValueError), (2.5, TypeError)):
        with pytest.raises(error, match="^Graph: digits must be"):
            graph.to_svg(digits=digits)


def test_numbers_of_numpy_are_numbers():
    x = np.float32(2.0)
    with trace() as graph:
        MulLayer().forward(x, np.int64(3))
    assert graph.outputs == [6.0]


def test_a_value_of_another_graph():
    with trace():
        x = MulLayer().forward(2.0, 3.0)
        x = AddLayer().forward(x, 1.0)
    with (
        trace() as graph,
        pytest.raises(ValueError, match=r"^AddLayer.forward: x = 7.0 is not a value of this graph"),
    ):
        AddLayer().forward(x, 1.0)
    for call in (
        graph.gradient,
        lambda value: graph.name("x", value),
        lambda value: graph.backward(output=value),
    ):
        with pytest.raises(ValueError, match="is not a value of this graph"):
            call(x)
    with trace() as graph:
        AddLayer().forward(float(x), 1.0)
    assert len(graph.values) == 3


def test_a_backward_whose_forward_was_not_recorded():
    layer = MulLayer()
    layer.forward(2.0, 3.0)
    with trace(), pytest.raises(RuntimeError, match=r"^MulLayer.backward: the forward was not recorded"):
        layer.backward(1.0)


def test_a_backward_before_any_forward():
    with trace() as graph:
        with pytest.raises(RuntimeError, match="^MulLayer.backward: call forward first"):
            MulLayer().backward(1.0)
        with pytest.raises(RuntimeError, match="^Graph.backward: nothing was recorded"):
            graph.backward()


@pytest.mark.parametrize("draw", ["to_svg", "to_html", "to_mermaid", "to_dot", "_repr_svg_"])
def test_a_graph_without_an_output(draw):
    with trace() as graph:
        graph.input("x", 1.0)
    with pytest.raises(RuntimeError, match="nothing was recorded; run the forward of scalar layers"):
        getattr(graph, draw)()


def test_a_name_before_its_value_exists():
    with trace() as graph:
        with pytest.raises(KeyError, match="no value is named 'price'; the names are: none"):
            graph["price"]
        apple = 100
        MulLayer().forward(apple, 2)
    with pytest.raises(KeyError, match="no value is named 'price'; the names are: apple"):
        graph.gradient("price")


AT_A_PROMPT = """
from backprop import MulLayer
from backprop.graph import graph_of, trace

def price_of(apple=100, tax=1.1):
    return MulLayer().forward(apple, tax)

of_function = graph_of(price_of)
apple = 100
with trace() as graph:
    price = MulLayer().forward(apple, 2)
"""


@pytest.mark.parametrize(
    "look", [Graph.__getitem__, Graph.gradient, lambda graph, name: graph.backward(output=name)]
)
@pytest.mark.parametrize("name", ["price", "n" * 99])
def test_without_source_code_an_unknown_name_says_the_cure(look, name):
    at_prompt = {}
    exec(compile(AT_A_PROMPT, "<stdin>", "exec"), at_prompt)
    with pytest.raises(KeyError) as caught:
        look(at_prompt["graph"], name)
    message = str(caught.value)
    assert (
        "the names are: x1, x2; there is no source code to read names from here: use graph.input('" in message
    )
    assert len(message) <= 220 and "\\" not in message


def test_without_source_code_graph_of_names_the_parameters():
    at_prompt = {}
    exec(compile(AT_A_PROMPT, "<stdin>", "exec"), at_prompt)
    graph = at_prompt["of_function"]
    assert list(graph) == ["apple", "tax"] and graph.gradient("tax") == 100.0


def test_several_outputs_need_a_choice():
    with trace() as graph:
        x = 2.0
        double = MulLayer().forward(x, 2)
        more = AddLayer().forward(x, 1)
    with pytest.raises(ValueError, match=r"^Graph.backward: several outputs, double, more; "):
        graph.backward()
    graph.backward(output=more)
    assert graph.gradient("x") == 1.0 and graph.gradient(double) is None
    with pytest.raises(ValueError, match="^Graph.backward: output must be a result, got the input 2.0"):
        graph.backward(output="x")
    graph.backward(3.0, "double")
    assert graph.gradient("x") == 6.0 and graph.gradient("more") is None


def test_a_forward_that_fails_leaves_a_graph_that_can_be_drawn():
    with trace() as graph:
        a, zero = 1.0, 0.0
        AddLayer().forward(a, 1)
        with pytest.raises(ZeroDivisionError):
            DivLayer().forward(a, zero)
        with pytest.raises(ValueError, match="LogLayer.forward: x must be above 0"):
            LogLayer().forward(zero)
    assert "zero" not in graph.to_svg()


# --------------------------------------------------------------------------------------------- of functions


def test_a_function_with_its_parameters_as_inputs():
    def area(width=2.0, height=3.0):
        surface = MulLayer().forward(width, height)
        return surface

    graph = graph_of(area, height=5)
    assert isinstance(graph, Graph) and graph["surface"] == 10.0
    assert graph.gradient("width") == 5.0
    assert repr(graph) == "<Graph width=2, height=5; 1 operation>"


def test_a_function_that_runs_its_own_backward():
    def area(width=2.0, height=3.0):
        layer = MulLayer()
        layer.forward(width, height)
        layer.backward(10.0)

    assert graph_of(area).gradient("width") == 30.0


def test_functions_without_numbers_or_layers():
    def area(width):
        MulLayer().forward(width, 2)

    with pytest.raises(
        TypeError, match=r"^graph_of: area needs a number for every parameter \(missing .*'width'\)"
    ):
        graph_of(area)
    with pytest.raises(TypeError, match="^graph_of: area has no input 'depth'; its inputs are: width"):
        graph_of(area, depth=2)
    with pytest.raises(RuntimeError, match="^graph_of: nothing was recorded"):
        graph_of(lambda x=1.0: x)
    with pytest.raises(TypeError, match="^Graph.input: a graph holds real numbers, but x is str"):
        graph_of(lambda x="1": x)


def test_a_graph_knows_its_names_and_its_values():
    with trace() as graph:
        price = MulLayer().forward(graph.input("apple", 100), 2)
    assert list(graph) == ["apple", "price"] == [name for name in graph if name in graph]
    assert price in graph and graph["apple"] in graph
    with trace() as other:
        MulLayer().forward(100, 2)
    assert (
        np.ones(2) not in graph
        and "tax" not in graph
        and "" not in graph
        and 200.0 not in graph
        and price not in other
    )
    assert graph.to_svg(local=np.True_) == graph.to_svg(local=True)
