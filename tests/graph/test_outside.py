"""Numbers computed outside of the layers are refused by name, and an output can be chosen."""

import math

import numpy as np
import pytest

from backprop import AddLayer, MulLayer
from backprop.graph import graph_of, trace
from backprop.scalar import ExpLayer


def test_what_the_function_adds_to_its_result():
    def price(apple=100.0, n=2.0):
        return MulLayer().forward(apple, n) + 500

    told = (
        r"^graph_of: price returns .* 200 \+ 500 = 700 was computed outside of the layers, .* use AddLayer$"
    )
    with pytest.raises(ValueError, match=told):
        graph_of(price)
    assert price() == 700.0


@pytest.mark.parametrize(
    ("compute", "written", "layer"),
    [
        (lambda y: y * 1.1, r"y \* 1.1", "MulLayer"),
        (lambda y: 1.1 * y, r"1.1 \* y", "MulLayer"),
        (lambda y: y - 1, "y - 1", "AddLayer, and MulLayer by -1"),
        (lambda y: 1 - y, "1 - y", "AddLayer, and MulLayer by -1"),
        (lambda y: y / 2, "y / 2", "DivLayer"),
        (lambda y: 2 / y, "2 / y", "DivLayer"),
        (lambda y: -y, "-y", "MulLayer by -1"),
        (lambda y: y**2, r"y \*\* 2", "a layer of your own"),
        (lambda y: 2**y, r"2 \*\* y", "a layer of your own"),
        (lambda y: y // 2, "y // 2", "a layer of your own"),
        (lambda y: y % 3, "y % 3", "a layer of your own"),
        (lambda y: abs(y), r"abs\(y\)", "a layer of your own"),
        (lambda y: y * y + 1, r"y \* y \+ 1", "AddLayer"),
        (lambda y: round(y, 2), r"round\(y, 2\)", "a layer of your own"),
        (lambda y: divmod(y, 4)[0], "y // 4", "a layer of your own"),
        (lambda y: divmod(7, y)[1], "7 % y", "a layer of your own"),
        (lambda y: y.real + y.conjugate(), r"y \+ y", "AddLayer"),
        (np.exp, r"numpy.exp\(y\)", "a layer of your own"),
        (lambda y: np.multiply(np.float64(2), y), r"numpy.multiply\(2, y\)", "a layer of your own"),
        (lambda y: np.subtract(np.float32(2), y), r"numpy.subtract\(2, y\)", "a layer of your own"),
        (lambda y: np.add(y + 1, y), r"numpy.add\(y \+ 1, y\)", "a layer of your own"),
        (lambda y: sum([y, y]), r"0 \+ y \+ y", "AddLayer"),
    ],
)
def test_what_a_layer_is_given_of_a_value(compute, written, layer):
    with trace() as graph:
        x = 3.0
        y = MulLayer().forward(x, 2)
        before = len(graph.values)
        with pytest.raises(
            ValueError, match=f"^AddLayer.forward: {written} = .* use {layer}.*, or start a new input"
        ):
            AddLayer().forward(compute(y), 1)
        assert len(graph.values) == before, "a refused operand leaves nothing behind"
        AddLayer().forward(float(compute(y)), y)
    assert len(graph.operations) == 2


def test_a_value_counts_and_its_real_part_is_itself():
    with trace() as graph:
        y = MulLayer().forward(2.5, 2)
        assert y.real is y and y.conjugate() is y and y.imag == 0.0
        assert list(range(round(y))) == [0, 1, 2, 3, 4] and type(round(y)) is int
        MulLayer().forward(y.real, 3)
        assert type(y * np.ones(2)) is type(np.ones(2) * y) is np.ndarray and bool(np.isfinite(y)) is True
    assert graph.backward() is None and graph.gradient(y) == 3.0


def test_an_input_that_is_computed_with_before_it_reaches_a_layer():
    def shifted(x=2.0):
        return MulLayer().forward(x + 1, 3)

    with pytest.raises(ValueError, match=r"^MulLayer.forward: x \+ 1 = 3 was computed outside of the layers"):
        graph_of(shifted)


def test_what_a_function_makes_of_a_value_leaves_a_result_that_no_layer_takes():
    def price(apple=100.0, n=0.02):
        cost = MulLayer().forward(apple, n)
        return AddLayer().forward(math.exp(cost), 1.0)

    with pytest.raises(
        ValueError, match="^graph_of: price returns 8.389, but no layer uses cost; use a layer"
    ):
        graph_of(price)


def test_a_number_that_no_layer_computed():
    def fixed(x=2.0):
        MulLayer().forward(x, 2)
        return 700

    with pytest.raises(
        ValueError, match=r"^graph_of: fixed returns 700, which no layer .* last result is 4\)"
    ):
        graph_of(fixed)


def test_a_function_that_runs_its_own_backward_returns_its_gradients():
    def area(width=2.0, height=3.0):
        layer = MulLayer()
        surface = layer.forward(width, height)
        return (surface, *layer.backward(10.0))

    assert graph_of(area).gradient("width") == 30.0

    def more(width=2.0):
        layer = MulLayer()
        surface = layer.forward(width, 3)
        layer.backward(1.0)
        return surface + 1

    with pytest.raises(
        ValueError, match="^graph_of: more returns a number that no layer computed: surface .* 1 = 7 "
    ):
        graph_of(more)


def test_a_bare_number_is_the_output_that_has_it():
    def once(x=2.0):
        y = MulLayer().forward(x, 1)
        z = MulLayer().forward(y, 1)
        return float(z)

    assert graph_of(once).gradient("x") == 1.0


def test_the_number_itself_may_be_returned_in_any_form():
    for form in (float, lambda y: (y, 2.0), lambda y: [y, y], lambda y: {"y": y}, lambda y: None):
        graph = graph_of(_returning(form))
        assert graph.gradient("x") == 3.0


def _returning(form):
    def function(x=2.0):
        return form(MulLayer().forward(x, 3))

    return function


def test_a_number_of_two_graphs_is_one_of_that_which_records():
    with trace():
        x = MulLayer().forward(2, 3)
    for compute in (lambda y: x * y, lambda y: y * x, lambda y: x + (x - y), lambda y: np.add(x, y)):
        with trace():
            y = MulLayer().forward(4, 5)
            with pytest.raises(ValueError, match="^AddLayer.forward: .* was computed outside of the layers"):
                AddLayer().forward(compute(y), 1)


def test_numbers_of_another_graph_are_computed_with_freely():
    x = 1.0
    for _ in range(3):
        with trace() as graph:
            y = MulLayer().forward(graph.input("x", x), 2)
        graph.backward()
        x = graph["x"] - 0.1 * graph.gradient("x") * y
    with trace() as graph:
        AddLayer().forward(x, 1)
    assert [value.name for value in graph.values] == ["x", "", ""]


# ------------------------------------------------------------------------------------------ a chosen output


def both(x=2.0):
    double = MulLayer().forward(x, 2)
    power = ExpLayer().forward(x)
    return power, double


@pytest.mark.parametrize(
    ("output", "gradient"),
    [("double", 2.0), ("power", math.exp(2)), (0, math.exp(2)), (1, 2.0), (-1, 2.0), (np.int64(1), 2.0)],
)
def test_of_several_outputs_one_is_chosen_by_name_or_place(output, gradient):
    graph = graph_of(both, output=output)
    assert graph.gradient("x") == pytest.approx(gradient)


def test_without_a_choice_they_are_named():
    with pytest.raises(
        ValueError,
        match=r"^graph_of: both returns power, double; choose one, graph_of\(both, output=NAME or its ind",
    ):
        graph_of(both)


def test_a_choice_by_place_where_nothing_is_returned():
    def silent(x=2.0):
        both(x)

    assert graph_of(silent, output=0).gradient("x") == 2.0, "in the order of Graph.outputs"
    with pytest.raises(ValueError, match="^graph_of: several outputs, double, power; "):
        graph_of(silent)


def test_a_graph_chooses_by_name_place_or_value():
    with trace() as graph:
        x = 2.0
        power, double = both(graph.input("x", x))
    for output in ("double", 0, -2, np.int8(0), double):
        graph.backward(output=output)
        assert graph.gradient("x") == 2.0 and graph.gradient(power) is None
    graph.backward(10.0, output=1)
    assert graph.gradient("x") == pytest.approx(10 * math.exp(2))


def test_the_output_is_what_the_function_returns():
    def inner(x=2.0):
        y = MulLayer().forward(x, 3)
        ExpLayer().forward(y)
        return y

    with pytest.raises(ValueError, match="^graph_of: inner returns y, but no layer uses 403.4; "):
        graph_of(inner)
    assert graph_of(inner, output="y").gradient("x") == 3.0


# --------------------------------------------------------------------------------------------- second names


def test_a_second_name_is_no_second_input():
    with trace() as graph:
        a = 2.0
        b = a
        c = MulLayer().forward(b, a)
        d = MulLayer().forward(c, b)
    graph.backward()
    assert graph.gradient("a") == 12.0 == 3 * d / a, "a³, from all three uses"
    assert [value.name for value in graph.values] == ["a", "c", "d"]


def test_a_name_of_its_own_number_is_an_input_of_its_own():
    with trace() as graph:
        a = 2.0
        b = a
        b = 2.0 * b - 1.0
        other = 2.0
        MulLayer().forward(AddLayer().forward(a, other), b)
    graph.backward()
    assert [value.name for value in graph.values if value.kind == "input"] == ["a", "other", "b"]
    assert [graph.gradient(name) for name in ("a", "other", "b")] == [3.0, 3.0, 4.0]


def test_names_that_go_in_circles():
    with trace() as graph:
        a = 2.0
        b = a
        a = b
        c = b
        MulLayer().forward(MulLayer().forward(a, b), c)
    graph.backward()
    assert len([value for value in graph.values if value.kind == "input"]) == 1
