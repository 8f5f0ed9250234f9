"""The page as a document: one small, self-contained file for every graph."""

import json
import re

import numpy as np
import pytest

from backprop import AddLayer, MulLayer, TwoLayerNet
from backprop.graph import graph_of, network_graph, trace
from backprop.graph.book import GRAPHS
from backprop.scalar import DivLayer

LIMIT = 300_000  # bytes


def facts(page):
    return json.loads(re.search(r'<script type="application/json" id="graph">(.*?)</script>', page, re.S)[1])


@pytest.fixture(params=[*GRAPHS, "two-layer-net"])
def page(request):
    if request.param in GRAPHS:
        return graph_of(GRAPHS[request.param]).to_html()
    return network_graph(TwoLayerNet(20, 5, 3, rng=0), np.ones((4, 20)), [0, 1, 2, 0]).to_html()


def test_it_is_small(page):
    assert len(page.encode()) < LIMIT


def test_a_graph_of_200_operations_is_small_too():
    with trace() as graph:
        value, w = graph.input("x", 1.0), graph.input("w", 1.01)
        for _ in range(200):
            value = MulLayer().forward(value, w)
    graph.backward()
    assert len(graph.to_html().encode()) < LIMIT


def test_norms_of_gradients_wait_for_backward():
    net = TwoLayerNet(20, 5, 3, rng=0)
    late = re.findall(
        r'data-after="backward"[^>]*>(\S+)', network_graph(net, np.ones((1, 20)), [0]).to_html()
    )
    assert late == ["‖dW1‖", "‖db1‖", "‖dW2‖", "‖db2‖"]


def test_it_needs_nothing_else(page):
    assert "default-src 'none'" in page
    without = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?://|//[a-z]|@import|url\(|<link|<img|\bsrc=|fetch\(|import\(", without)


def test_it_is_whole(page):
    assert page.startswith('<!doctype html>\n<html lang="en">') and page.rstrip().endswith("</html>")
    assert "$" not in re.sub(r"<script>.*</script>", "", page, flags=re.S), "a placeholder was left"
    for name in facts(page)["nodes"]:
        assert name["title"]


def test_no_name_can_end_the_script():
    with trace() as graph:
        MulLayer().forward(graph.input("</script><b>", 2.0), 3.0)
    page = graph.to_html()
    assert "</script><b>" not in page and facts(page)["nodes"][0]["name"] == "</script><b>"


def test_what_the_page_computes_with():
    found = facts(graph_of(GRAPHS["apple"]).to_html())
    assert found["digits"] == 4
    assert found["edges"] == [[0, 3], [1, 3], [3, 4], [2, 4], [4, 5]]
    assert [node.get("number") for node in found["nodes"]] == [100.0, 2.0, 1.1, None, None, None]
    assert [node.get("layer") for node in found["nodes"]] == [None] * 3 + ["MulLayer"] * 2 + [None]
    assert found["nodes"][-1]["seed"] == 1.0


def test_a_graph_without_a_backward_gets_one():
    with trace() as graph:
        x = 2.0
        MulLayer().forward(x, 3.0)
        DivLayer().forward(x, 3.0)
    seeds = [node["seed"] for node in facts(graph.to_html())["nodes"] if node["kind"] == "output"]
    assert seeds == [None, 1.0]


def test_numbers_that_no_page_can_play():
    with trace() as graph:
        big = 1e308
        MulLayer().forward(big, 10.0)
    with pytest.raises(
        ValueError, match="^to_html: all numbers must be finite, but × to the output carries ∞; draw"
    ):
        graph.to_html()


class Loud(MulLayer):
    def forward(self, x, y):
        return super().forward(x, y)


def test_of_a_layer_that_it_does_not_know_the_page_has_what_was_recorded():
    with trace(Loud) as graph:
        AddLayer().forward(Loud().forward(2.0, 3.0), 1.0)
    nodes = facts(graph.to_html())["nodes"]
    assert [node.get("recorded") for node in nodes if node["kind"] == "operation"] == [
        {"value": 6.0, "local": [3.0, 2.0]}, None,
    ]  # fmt: skip


class Steep(MulLayer):
    def backward(self, dout):
        return float("inf"), 0.0


def test_gradients_that_no_page_can_play():
    with trace(Steep) as graph:
        Steep().forward(2.0, 3.0)
    with pytest.raises(ValueError, match="^to_html: all numbers must be finite, but a gradient or a local d"):
        graph.to_html()
    graph = graph_of(GRAPHS["apple"])
    graph.backward(float("inf"))
    with pytest.raises(ValueError, match="^to_html: all numbers must be finite"):
        graph.to_html()
