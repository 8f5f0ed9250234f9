"""Graphs of random shape: no text is missing, crossed or overlaps another."""

import pytest
from boxes import Drawn, faults

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop.graph import trace
from backprop.scalar import AddLayer, DivLayer, ExpLayer, MulLayer, SumLayer


@st.composite
def graphs(draw):
    """Return a graph of random shape, with wide numbers and values that are used once, twice or never."""
    layers = [AddLayer, MulLayer, DivLayer, SumLayer, ExpLayer]
    names = st.sampled_from(["x", "apple_num", "重み", "WWWWWWWWWWWW", "", "a1"])
    with trace() as graph:
        values = [
            graph.input(draw(names), draw(st.floats(-9, 9).filter(lambda x: abs(x) > 1e-6))) for _ in range(3)
        ]
        for _ in range(draw(st.integers(1, 14))):
            layer = draw(st.sampled_from(layers))()
            count = (
                1
                if isinstance(layer, ExpLayer)
                else draw(st.integers(3, 4))
                if isinstance(layer, SumLayer)
                else 2
            )
            operands = draw(st.lists(st.sampled_from(values[-5:]), min_size=count, max_size=count))
            try:
                values.append(layer.forward(*operands))
            except (ZeroDivisionError, OverflowError):
                values.append(AddLayer().forward(operands[0], 1))
        if draw(st.booleans()):
            graph.backward(output=graph.outputs[-1])
    return graph


def require_no_faults(graph, local):
    svg = graph.to_svg(local=local)
    assert list(faults(svg)) == []
    assert len(Drawn(svg).on_edges("forward")) == len(graph.diagram().edges)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(graphs(), st.booleans())
def test_no_text_overlaps_in_any_graph(graph, local):
    require_no_faults(graph, local)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(graphs(), st.booleans())
def test_nor_in_many_other_graphs(graph, local):
    require_no_faults(graph, local)
