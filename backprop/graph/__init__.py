"""Computational graphs, drawn with the forward value above each edge and its gradient below.

::

    tracing.py          `trace`: record what the scalar layers compute
    methods.py          the recording methods that replace a layer's own
    source.py           the names that the caller's source gives to operands and results
    outside.py          numbers computed from a graph's values without a layer
    current.py          the active tracer of a thread
    records.py          the values and operations of a graph
    recording.py        a graph while it is recorded
    graph.py            `Graph`: the recorded graph, with names, gradients and pictures
    of_function.py      `graph_of`: the graph of a function
    returned.py         the result that a function's gradients belong to
    book.py             the graphs of the chapter, as functions
    network_graph.py    `network_graph`: the passes of a network, layer by layer, on a batch
    of_network.py       these passes as a diagram
    picture.py          what every picture can do
    diagram.py          nodes and edges, independent of the output format
    of_values.py        a graph of numbers as a diagram
    digits.py           the format of a number
    layout.py           the positions of nodes, edges and texts, from the next seven files
    metrics.py          bounds on the width of a text
    ranks.py            the rank of each node
    columns.py          nodes and edges in columns, with few crossings
    placing.py          positions within a column
    straightening.py    nearly level lines made level
    rows.py             a long network in rows
    lines.py            the path of an edge
    svg.py              the picture as SVG
    page.py, web/       the page that plays the passes
    mermaid.py, dot.py  the picture for other tools

>>> from backprop import MulLayer
>>> with trace() as graph:
...     apple, apple_num = 100, 2
...     price = MulLayer().forward(apple, apple_num)
>>> graph.backward()
>>> graph, graph.gradient("apple")
(<Graph apple=100, apple_num=2; 1 operation>, 2.0)
"""

from backprop.graph.graph import Graph
from backprop.graph.network_graph import network_graph
from backprop.graph.of_function import graph_of
from backprop.graph.of_network import LayerPass, NetworkGraph
from backprop.graph.records import Operation, Value
from backprop.graph.tracing import trace

__all__ = [
    "Graph",
    "LayerPass",
    "NetworkGraph",
    "Operation",
    "Value",
    "graph_of",
    "network_graph",
    "trace",
]
