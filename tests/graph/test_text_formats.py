"""Graphs as Mermaid, as DOT and as plain data for JSON."""

import json
import re

import pytest

from backprop import MulLayer, TwoLayerNet
from backprop.graph import graph_of, network_graph, trace
from backprop.graph.book import GRAPHS


def test_the_apple_in_mermaid():
    assert graph_of(GRAPHS["apple"]).to_mermaid() == (
        """flowchart LR
  n0["apple"]
  n1["apple_num"]
  n2["tax"]
  n3(("×"))
  n4(("×"))
  n5["price"]
  n0 -- "100 | 2.2" --> n3
  n1 -- "2 | 110" --> n3
  n3 -- "200 | 1.1" --> n4
  n2 -- "1.1 | 200" --> n4
  n4 -- "220 | 1" --> n5
"""
    )


def test_local_derivatives_are_held_by_a_wider_shape():
    assert '  n3(["×<br/>∂ 2<br/>∂ 100"])\n' in graph_of(GRAPHS["apple"]).to_mermaid(local=True)


def test_the_apple_in_dot():
    text = graph_of(GRAPHS["apple"]).to_dot(local=True)
    assert text.startswith("digraph {\n  rankdir=LR\n") and text.endswith("}\n")
    assert '  n3 [label="×\\n∂ 2\\n∂ 100" shape=circle]\n' in text
    assert '  n0 -> n3 [label=<100<br/><font color="#b3261e">2.2</font>>]\n' in text


@pytest.mark.parametrize("name", GRAPHS)
def test_every_node_and_edge_is_there(name):
    graph = graph_of(GRAPHS[name])
    diagram, mermaid, dot = graph.diagram(), graph.to_mermaid(), graph.to_dot()
    assert len(re.findall(r"^  n\d+ -- .* --> n\d+$", mermaid, re.M)) == len(diagram.edges)
    assert len(re.findall(r"^  n\d+ -> n\d+ ", dot, re.M)) == len(diagram.edges)
    assert len(re.findall(r"^  n\d+[\[(]", mermaid, re.M)) == len(diagram.nodes)
    assert len(re.findall(r"^  n\d+ \[label=\"", dot, re.M)) == len(diagram.nodes)


def test_signs_that_mean_something_are_escaped():
    with trace() as graph:
        MulLayer().forward(graph.input('a"b<c>#1\\', 2.0), 3.0)
    assert 'n0["a#quot;b#lt;c#gt;#35;1\\"]' in graph.to_mermaid()
    assert r'n0 [label="a\"b<c>#1\\" shape=plaintext]' in graph.to_dot()


def test_json_has_all_digits():
    graph = graph_of(GRAPHS["apple"])
    document = json.loads(json.dumps(graph.to_dict()))
    assert document["values"][-1] == {
        "name": "price", "kind": "result", "value": 220.00000000000003, "gradient": 1.0,
    }  # fmt: skip
    assert document["operations"][0] == {
        "layer": "MulLayer", "operands": [0, 1], "out": 3, "gradients": [2.2, 110.00000000000001],
    }  # fmt: skip
    seen = network_graph(TwoLayerNet(4, 3, 2, rng=0), [[1.0, 2.0, 3.0, 4.0]], [1]).to_dict()
    assert json.loads(json.dumps(seen))["passes"][0]["name"] == "Affine1"
