"""The path of an edge: level within each column, and an S curve between columns."""

import math
from collections.abc import Callable
from typing import NamedTuple

from backprop.graph.columns import Item
from backprop.graph.diagram import BRANCH, CONSTANT, OPERATION, Diagram, Node
from backprop.graph.layout import DOT, RADIUS, Layout

ARROW, HALF = 8.0, 3.2  # length and half the width of an arrowhead
ASIDE, BULGE = 8.0, 16.0  # how far a line goes on before it turns, and the reach of its turn
SLANT = math.radians(55)  # the steepest angle at which an edge meets a circle


class Line(NamedTuple):
    """An edge as a path, and its arrowhead as another, "" if it has none."""

    path: str
    head: str


def brief(number: float) -> str:
    """Return a coordinate to a tenth of a pixel, in as few letters as possible."""
    return f"{round(number, 1):g}" if abs(number) < 1e5 else f"{number:.0f}"


def line(diagram: Diagram, laid: Layout, i: int) -> Line:
    """Return the line of edge i."""
    edge, chain = diagram.edges[i], laid.chains[i]
    source, target = laid.nodes[edge.source], laid.nodes[edge.target]
    x, y = source.x + _reach(diagram.nodes[edge.source], source), source.y
    path = [f"M{brief(x)} {brief(y)}"]
    x, y = _level(path, x, y, source.right, y)
    for item in chain:
        turn = _curve if item.turn is None else _run_back(item.turn)
        x, y = turn(path, x, y, item.left, item.y)
        x, y = _level(path, x, y, item.right, y)
    node = diagram.nodes[edge.target]
    if node.kind == BRANCH:
        x, y = _curve(path, x, y, target.left, target.y)
        _level(path, x, y, target.x, y)
        return Line("".join(path), "")
    to_x, to_y, angle = _meeting(node, target, laid.ports.get(i), x, y)
    back_x, back_y = to_x - ARROW * math.cos(angle), to_y + ARROW * math.sin(angle)
    if target.left < back_x - ARROW:  # a node narrower than its column: the rest is level
        x, y = _curve(path, x, y, target.left, back_y)
        _level(path, x, y, back_x, y)
    else:
        _curve(path, x, y, back_x, back_y, angle)
    return Line("".join(path), _head(to_x, to_y, angle))


def _reach(node: Node, item: Item) -> float:
    """Return how far a node extends to the right of its middle."""
    return DOT if node.kind in (BRANCH, CONSTANT) else item.width / 2


def _meeting(node: Node, item: Item, port: float | None, x: float, y: float) -> tuple[float, float, float]:
    """Return where an edge from (x, y) meets a node, and at which angle."""
    if node.kind != OPERATION or port is not None:
        return item.x - item.width / 2, item.y + (port or 0.0), 0.0
    angle = math.atan2(y - item.y, item.x - x)
    if item.left < item.x - RADIUS - ARROW:  # level, at the height where a straight line would meet it
        return item.x - RADIUS * math.cos(angle), item.y + RADIUS * math.sin(angle), 0.0
    angle = max(-SLANT, min(SLANT, 1.5 * angle))
    return item.x - RADIUS * math.cos(angle), item.y + RADIUS * math.sin(angle), angle


def _level(path: list[str], x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    if path[-1][0] == "H":
        path.pop()  # merge two level pieces
    if to_x > x:
        path.append(f"H{brief(to_x)}")
    return to_x, to_y


def _curve(
    path: list[str], x: float, y: float, to_x: float, to_y: float, angle: float = 0.0
) -> tuple[float, float]:
    """Append an S curve from (x, y), level there, to a point that it reaches at an angle."""
    if abs(to_y - y) < 0.05:
        return _level(path, x, y, to_x, y)
    pull = (to_x - x) / 2
    x2, y2 = to_x - pull * math.cos(angle), to_y + pull * math.sin(angle)
    path.append(f"C{brief(x + pull)} {brief(y)} {brief(x2)} {brief(y2)} {brief(to_x)} {brief(to_y)}")
    return to_x, to_y


def _run_back(between: float) -> Callable[[list[str], float, float, float, float], tuple[float, float]]:
    """Return a function that appends a line to the next row: it runs back at a height between the rows."""

    def append(path: list[str], x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
        x, y = _level(path, x, y, x + ASIDE, y)
        for end, height, bulge in ((x, between, BULGE), (to_x, to_y, -BULGE)):
            if end != x:
                path.append(f"H{brief(end)}")
            corners = f"{brief(end + bulge)} {brief(y)} {brief(end + bulge)} {brief(height)}"
            path.append(f"C{corners} {brief(end)} {brief(height)}")
            y = height
        return to_x, to_y

    return append


def _head(x: float, y: float, angle: float) -> str:
    """Return a triangle with its tip at (x, y)."""
    cos, sin = math.cos(angle), -math.sin(angle)
    back_x, back_y = x - ARROW * cos, y - ARROW * sin
    corners = [(x, y), (back_x - HALF * sin, back_y + HALF * cos), (back_x + HALF * sin, back_y - HALF * cos)]
    return "M" + "L".join(f"{brief(a)} {brief(b)}" for a, b in corners) + "Z"
