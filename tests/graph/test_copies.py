"""Copies and unpickled graphs are equal to the original and independent of it."""

import copy
import pickle
from time import process_time

import numpy as np
import pytest

from backprop import MulLayer, TwoLayerNet, check_gradients
from backprop.graph import Value, graph_of, network_graph, trace
from backprop.graph.book import GRAPHS
from backprop.training import History


def pickled(obj):
    return pickle.loads(pickle.dumps(obj))


COPIES = pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])


@COPIES
@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph(copied, name):
    graph = graph_of(GRAPHS[name])
    twin = copied(graph)
    assert twin == graph and repr(twin) == repr(graph)
    for form in ("to_svg", "to_html", "to_mermaid", "to_dot", "to_dict"):
        assert getattr(twin, form)() == getattr(graph, form)()
    assert all(type(value) is Value and value.graph is twin for value in twin.values)
    before = graph.to_dict()
    twin.backward(3.0)
    assert twin != graph and graph.to_dict() == before
    names = [value.name for value in graph.values if value.kind == "input"]
    assert [twin.gradient(x) for x in names] == pytest.approx([3 * graph.gradient(x) for x in names])


@COPIES
def test_a_graph_in_the_making(copied):
    with trace() as outer, trace() as graph:
        x = 2.0
        y = MulLayer().forward(x, graph.constant(3))
        twin = copied(graph)
        MulLayer().forward(y, 2)
    assert len(twin.operations) == 1 and len(graph.operations) == 2
    assert twin.outer is None and graph.outer is outer
    twin.backward()
    assert twin.gradient("x") == 3.0 and graph.gradient("x") is None


@COPIES
def test_a_network_as_a_picture(copied):
    seen = network_graph(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1])
    other = network_graph(TwoLayerNet(4, 3, 2, rng=1), [[1.0, 2.0, 3.0, 4.0]], [1])
    assert copied(seen) == seen != other
    assert copied(seen).to_html() == seen.to_html()


@COPIES
def test_what_training_and_checking_give(copied):
    history = History([2.0, 1.0], [0, 2], [0.1, 0.5], [0.1, 0.4], loop="eager: here")
    assert copied(history) == history
    report = check_gradients(TwoLayerNet(4, 3, 2, rng=0, dtype="float64"), np.ones((2, 4)), [0, 1])
    assert copied(report) == report and str(copied(report)) == str(report)


def test_a_graph_is_equal_to_no_other_thing():
    graph = graph_of(GRAPHS["apple"])
    assert graph != graph_of(GRAPHS["sigmoid"]) and graph != graph.to_dict() and graph is not None
    with trace() as strange:
        MulLayer().forward(float("nan"), 1.0)
    assert strange == strange


def test_a_layer_that_cannot_be_pickled_is_named_by_python():
    class Local(MulLayer):
        pass

    with trace(Local) as graph:
        Local().forward(2.0, 3.0)
    assert copy.deepcopy(graph) == graph
    with pytest.raises((AttributeError, pickle.PicklingError), match="Local"):
        pickle.dumps(graph)


def test_a_long_graph_takes_no_longer_than_its_length():
    def long(x=1.0):
        for _ in range(3000):
            x = MulLayer().forward(x, 1.0001)
        return x

    graph, start = graph_of(long), process_time()
    assert pickled(graph) == graph == copy.deepcopy(graph)
    assert process_time() - start < 20, "seconds; a sum over all values for each value takes minutes"
