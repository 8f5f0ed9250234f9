"""Graph pictures: drawing graphs of 200 operations, and the cost of a tracer to the layers."""

import random

import pytest

from backprop.graph import Graph, trace
from backprop.reporting.timing import Work
from backprop.scalar import AddLayer, MulLayer, ReciprocalLayer

OPERATIONS, WANTED = 200, "under 1000"
DRAWING = ("graph of 200 operations", "as", "ms", "kB", "wanted")
TRACING = ("MulLayer", "never traced ns", "after a tracer ns", "inside one ns")


def chain() -> Graph:
    """Return a graph in which each operation takes the previous result and one number shared by all."""
    with trace() as graph:
        value, w = graph.input("x", 1.0), graph.input("w", 1.01)
        for _ in range(OPERATIONS):
            value = MulLayer().forward(value, w)
    return graph


def tangle(span: int) -> Graph:
    """Return a graph in which each operation takes two of the last `span` numbers, drawn at random."""
    rng = random.Random(0)
    with trace() as graph:
        values = [graph.input(f"x{i}", 1.0 + i / 10) for i in range(8)]
        for i in range(OPERATIONS):
            a, b = rng.choice(values[-span:]), rng.choice(values[-span:])
            layer = (ReciprocalLayer, AddLayer, MulLayer)[i % 3]()
            values.append(layer.forward(a) if i % 3 == 0 else layer.forward(a, b))
    return graph


GRAPHS = {
    "a chain": chain,
    "tangled, near": lambda: tangle(8),
    "tangled, far": lambda: tangle(30),
    "tangled, all": lambda: tangle(OPERATIONS),
}


@pytest.mark.benchmark(group="drawing")
@pytest.mark.parametrize("how", ["to_svg", "to_html"])
@pytest.mark.parametrize("name", GRAPHS)
def test_drawing(name, how, benchmark, closing_table):
    graph = GRAPHS[name]()
    graph.backward(output=graph.outputs[-1])
    assert len(graph.operations) == OPERATIONS
    text = benchmark.pedantic(getattr(graph, how), rounds=5, warmup_rounds=1)
    assert text.count("<text") > 2 * OPERATIONS
    if benchmark.enabled:
        milliseconds, kilobytes = benchmark.stats.stats.median * 1e3, len(text.encode()) / 1e3
        row = (name, how.removeprefix("to_"), f"{milliseconds:.0f}", f"{kilobytes:.0f}", WANTED)
        closing_table("drawing, medians", DRAWING, [row])


NEVER_TRACED = MulLayer.forward, MulLayer.backward  # at the import of this module


def passes(layer: MulLayer, name: str) -> dict[str, Work]:
    """Return calls of a layer's method as it was before any tracer, after one was closed, and inside one."""
    layer.forward(3.0, 4.0)
    arguments = (3.0, 4.0) if name == "forward" else (1.0,)
    before = NEVER_TRACED[name == "backward"].__get__(layer)

    def never(n: int) -> None:
        for _ in range(n):
            before(*arguments)

    def after(n: int) -> None:
        with trace():
            pass
        method = getattr(layer, name)
        for _ in range(n):
            method(*arguments)

    def inside(n: int) -> None:
        with trace():
            layer.forward(3.0, 4.0)
            method = getattr(layer, name)
            for _ in range(n):
                method(*arguments)

    return {"never traced": never, "after": after, "inside": inside}


@pytest.mark.benchmark(group="the cost of a tracer, in turns")
@pytest.mark.parametrize("name", ["forward", "backward"])
def test_tracing(name, works_in_turns, closing_table):
    with trace():
        pass
    assert (MulLayer.forward, MulLayer.backward) == NEVER_TRACED, "the very same functions"
    times = works_in_turns(passes(MulLayer(), name), rounds=21, block=0.02)
    if times:
        cells = [f"{times.median(each) * 1e9:,.0f}" for each in ("never traced", "after", "inside")]
        closing_table("the cost of a tracer, medians", TRACING, [(name, *cells)])
