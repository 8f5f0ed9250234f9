"""Computational graphs, drawn with the forward value above each edge and its gradient below.

tracing.py          `trace`: the scalar layers record what they compute
methods.py          the methods that record, in place of a layer's own
source.py           the names that the caller's source gives to operands and results
outside.py          what is computed of a graph's numbers without a layer
current.py          the tracer that records
records.py          its numbers and operations
recording.py        a graph in the making
graph.py            `Graph`: with names and gradients, to be drawn
of_function.py      `graph_of`: the graph of a function
returned.py         which result that graph is of
book.py             the graphs of the chapter, as such functions
network_graph.py    `network_graph`: a network layer by layer, on a batch
of_network.py       what it saw, as a diagram
picture.py          what every picture can do
diagram.py          what a picture shows: nodes and edges
of_values.py        a graph of numbers as a diagram
digits.py           how a number is written
layout.py           a diagram laid out, by the following
metrics.py          how wide a text is
ranks.py            which node stands in which rank
columns.py          everything in columns, with few crossings
placing.py          where it stands in its column
straightening.py    what is nearly level made level
lines.py            the course of an edge
svg.py              the picture as SVG
page.py, web/       the page that plays the passes
mermaid.py, dot.py  the picture for other tools

>>> from backprop import MulLayer
>>> with trace() as graph:
...     apple, apple_num = 100, 2
...     price = MulLayer().forward(apple, apple_num)
>>> graph.backward()
>>> graph, graph.gradient("apple")
(<Graph apple=100, apple_num=2; 1 operations>, 2.0)
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
