"""A long chain of layers in rows: it is read like a text, and fits on a page."""

from math import ceil

from backprop.graph.columns import LABEL, Item
from backprop.graph.diagram import BOX, Diagram

LONGEST, ROW = 1400.0, 880.0  # width up to which a chain has one row, and of a row about
BETWEEN = 36.0  # space between two rows, where the line runs back
TURN = 22.0  # room for the line beside a row


def is_chain(diagram: Diagram, columns: list[list[Item]]) -> bool:
    """Return whether a diagram is a network, layer after layer."""
    return any(node.kind == BOX for node in diagram.nodes) and all(len(column) == 1 for column in columns)


def fold(columns: list[list[Item]], width: float, margin: float) -> tuple[float, float]:
    """Move the items of a chain into rows of about the same width, and return the total width and height."""
    rows = _rows([item for column in columns for item in column], width)
    top, right = margin, 0.0
    for number, row in enumerate(rows):
        shift = margin + (TURN if number else 0.0) - row[0].left
        up, down = max(item.up for item in row), max(item.down for item in row)
        row[0].turn = top - BETWEEN / 2 if number else None
        for item in row:
            item.x, item.y = round(item.x + shift, 1), round(top + up, 1)
            item.left, item.right = round(item.left + shift, 1), round(item.right + shift, 1)
        top += up + down + BETWEEN
        right = max(right, row[-1].right)
    return right + TURN + margin, top - BETWEEN + margin


def _rows(items: list[Item], width: float) -> list[list[Item]]:
    """Return the items by row. It begins with the texts of the edge into it; the loss has no row alone."""
    target = width / ceil(width / ROW)
    rows: list[list[Item]] = [[]]
    for i, item in enumerate(items):
        if item.kind == LABEL and i + 2 < len(items) and items[i + 1].x - rows[-1][0].left > target:
            rows.append([])
        rows[-1].append(item)
    return rows
