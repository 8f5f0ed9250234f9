"""The pictures of the named graphs: every number is the library's, and no text overlaps another."""

import re
from pathlib import Path

import numpy as np
import pytest
from boxes import Drawn, faults

from backprop.graph import graph_of, trace
from backprop.graph.book import GRAPHS
from backprop.graph.columns import BEND
from backprop.graph.diagram import CONSTANT
from backprop.graph.digits import shown
from backprop.graph.layout import LETTERS, lay_out
from backprop.graph.metrics import word_width
from backprop.graph.svg import to_svg
from backprop.numerical.gradient import numerical_gradient
from backprop.scalar import MulLayer

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


@pytest.fixture(params=GRAPHS)
def function(request):
    return GRAPHS[request.param]


@pytest.fixture
def graph(function):
    return graph_of(function)


# ---------------------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("name", ["apple", "softmax-loss"])
def test_it_is_as_committed(name):
    """After an intended change, run `backprop graph apple -o docs/pictures/apple.svg` and look at it."""
    assert graph_of(GRAPHS[name]).to_svg() == (PICTURES / f"{name}.svg").read_text(encoding="utf-8")


def test_the_apple_has_the_numbers_of_the_book():
    drawn = Drawn(graph_of(GRAPHS["apple"]).to_svg())
    assert list(drawn.on_edges("forward").values()) == ["100", "2", "200", "1.1", "220"]
    assert list(drawn.on_edges("gradient").values()) == ["2.2", "110", "1.1", "200", "1"]
    assert {"apple", "apple_num", "tax", "price"} <= set(drawn.labels().values())


def test_the_forward_values_are_those_without_a_tracer(graph, function):
    (output,) = graph.outputs
    assert function() == output and type(function()) is float


def test_the_gradients_are_the_derivatives(graph, function):
    inputs = [value for value in graph.values if value.kind == "input"]
    names = [value.name for value in inputs]

    def f(x):
        return function(**dict(zip(names, x, strict=True)))

    expected = numerical_gradient(f, np.array(inputs, "complex128"), method="complex")
    assert [graph.gradient(name) for name in names] == pytest.approx(list(expected), rel=1e-12)


@pytest.mark.parametrize("digits", [1, 4, 12])
def test_every_number_drawn_is_the_librarys(graph, digits):
    """Compare each edge with the records, in drawing order."""
    diagram = graph.diagram(local=True, digits=digits)
    drawn = Drawn(to_svg(diagram))
    above, below = drawn.on_edges("forward"), drawn.on_edges("gradient")
    local = {int(b.attributes["data-local"]): b.what for b in drawn.texts if "data-local" in b.attributes}
    into = {}
    for i, edge in enumerate(diagram.edges):
        into.setdefault(edge.target, []).append(i)
    operations = iter(graph.operations)
    for node in range(len(diagram.nodes)):
        if diagram.nodes[node].kind != "operation":
            continue
        operation = next(operations)
        assert len(into[node]) == len(operation.operands)
        derivatives = operation.layer.backward(1.0)
        derivatives = derivatives if isinstance(derivatives, tuple) else (derivatives,)
        for edge, operand, gradient, derivative in zip(
            into[node], operation.operands, operation.gradients, derivatives, strict=True
        ):
            assert above[edge] == shown(operand, digits)
            assert local[edge] == f"∂ {shown(derivative, digits)}"
            if operand.kind == CONSTANT:
                assert edge not in below
            else:
                assert below[edge] == shown(gradient, digits)
    assert next(operations, None) is None
    totals = {(shown(value, digits), shown(graph.gradient(value), digits)) for value in graph.values}
    for edge, where in enumerate(diagram.edges):
        if diagram.nodes[where.target].kind in ("branch", "output"):
            assert (above[edge], below[edge]) in totals
    assert len(above) == len(diagram.edges)


def test_softmax_minus_one_hot():
    graph = graph_of(GRAPHS["softmax-loss"])
    for k, t in enumerate((0, 1, 0), 1):
        assert graph.gradient(f"a{k}") == pytest.approx(graph[f"y{k}"] - t)


def test_before_a_backward_a_gradient_is_a_dash():
    with trace() as graph:
        x = 2.0
        MulLayer().forward(MulLayer().forward(x, x), 3)
    assert graph.gradient("x") is None
    drawn = Drawn(graph.to_svg())
    below, above = drawn.on_edges("gradient"), drawn.on_edges("forward")
    assert set(below.values()) == {"–"} and set(above.values()) == {"2", "4", "3", "12"}
    assert len(below) == len(above) - 1, "the constant has none"
    assert '"2 | –"' in graph.to_mermaid() and '">–</font>>]' in graph.to_dot()
    assert list(faults(graph.to_svg())) == []


def test_a_backward_that_went_halfway():
    with trace() as graph:
        first, second = MulLayer(), MulLayer()
        x, y, z = 2.0, 3.0, 4.0
        second.forward(first.forward(x, y), z)
        second.backward(10.0)
    assert sorted(Drawn(graph.to_svg()).on_edges("gradient").values()) == ["10", "40", "60", "–", "–"]


# ------------------------------------------------------------------------------------------------ the layout


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("digits", [1, 4, 17])
@pytest.mark.parametrize("widest", [0, 9])
def test_no_text_overlaps_in_the_named_graphs(graph, local, digits, widest):
    assert list(faults(to_svg(graph.diagram(local=local, digits=digits), widest))) == []


def test_a_word_beside_its_local_derivative_keeps_away_from_the_border():
    drawn = graph_of(GRAPHS["sigmoid"]).to_svg(local=True)
    node, x = re.search(r'<text data-node="(\d+)" x="([\d.]+)"[^>]*>exp<', drawn).groups()
    left, width = re.search(rf'<rect data-node="{node}" x="([\d.]+)" [^>]*?width="([\d.]+)"', drawn).groups()
    assert float(left) + float(width) - float(x) - word_width("exp", LETTERS) / 2 >= 8


def test_every_edge_leads_to_the_right(graph):
    for line in Drawn(graph.to_svg()).lines.values():
        assert all(a[0] <= b[0] + 0.01 for a, b in zip(line, line[1:], strict=False))


def test_the_apple_lies_as_in_the_book():
    """The inputs form a column at the left, the multiplications and the price a row."""
    diagram = graph_of(GRAPHS["apple"]).diagram()
    items = dict(zip([node.title for node in diagram.nodes], lay_out(diagram).nodes, strict=True))
    apple, number, tax, price = (items[name] for name in ("apple", "apple_num", "tax", "price"))
    first, second = items["×, which gives apple_price"], items["×, which gives price"]
    assert apple.x == number.x == tax.x < first.x < second.x < price.x
    assert apple.y < first.y < number.y < tax.y
    assert first.y == second.y == price.y


def test_no_lines_cross_in_a_tree():
    for name in ("apple", "apple-orange", "sigmoid"):
        lines = list(Drawn(graph_of(GRAPHS[name]).to_svg()).lines.values())
        for i, line in enumerate(lines):
            for other in lines[i + 1 :]:
                near = [(a, b) for a in line for b in other if abs(a[0] - b[0]) < 1 and abs(a[1] - b[1]) < 1]
                assert near == [], name


def test_long_lines_are_straight_but_for_one_step(graph):
    for chain in lay_out(graph.diagram()).chains:
        assert len({item.y for item in chain if item.kind == BEND}) <= 2


def test_the_uses_of_a_branch_share_its_line():
    def power(x=1.5):
        y = x
        for _ in range(30):
            y = MulLayer().forward(y, x)

    drawn = Drawn(graph_of(power).to_svg())
    assert drawn.height < 250
    assert list(faults(graph_of(power).to_svg())) == []


def test_a_planted_overlap_is_found():
    svg = graph_of(GRAPHS["apple"]).to_svg()
    texts = {line.split(">")[1].split("<")[0]: line for line in svg.splitlines() if line.startswith("<text")}
    onto = svg.replace(texts["2"], texts["2.2"].replace(">2.2<", ">2<"))
    assert list(faults(onto)) == ["'2' and '2.2' overlap"]
    out = svg.replace(texts["220"], texts["220"].replace(' x="', ' x="-'))
    assert list(faults(out)) == ["'220' leaves the picture"]
    through = svg.replace("</g>", '<path data-edge="9" d="M0 0C0 0 300 200 400 200"/></g>', 1)
    assert any("is crossed by edge 9" in fault for fault in faults(through))


# ---------------------------------------------------------------------------------------------- as a document


def test_the_picture_says_what_it_is_to_those_who_do_not_see_it(graph):
    root = Drawn(graph.to_svg()).root
    title, description, *_ = root
    assert root.get("role") == "img" and root.get("aria-label") == title.text
    assert "gradient" in description.text and title.text.startswith("Computational graph of ")


def test_nothing_in_it_reaches_out_or_styles_the_rest_of_a_page(graph):
    svg = graph.to_svg()
    assert "<style" not in svg and "href" not in svg and "url(" not in svg and " id=" not in svg


def test_signs_that_mean_something_to_xml_are_escaped():
    with trace() as graph:
        graph.name('<b> & "c"', MulLayer().forward(graph.input("a < b & c", 2), 3))
    for text in (graph.to_svg(), graph.to_svg(local=True)):
        assert {"a < b & c", '<b> & "c"'} <= set(Drawn(text).labels().values())


def test_a_notebook_shows_it(graph):
    assert graph._repr_svg_() == graph.to_svg()
    assert not any(hasattr(graph, f"_repr_{kind}_") for kind in ("html", "png", "latex", "markdown"))
