"""Nearly level lines made level, since small steps look like mistakes."""

from math import inf

from backprop.graph.columns import NODE, Item

SPACE, NODES_APART = 8.0, 13.0  # between two items of a column, and between two nodes
NEARLY = 14.0  # the largest difference between a node and its neighbour that is levelled


class _Row:
    """Items on one level, each in another column.

    above, below: the adjacent items, with the least distance to each.
    """

    def __init__(self, item: Item, above: Item | None, below: Item | None) -> None:
        self.items, self.columns, self.y = [item], {item.column}, item.y
        self.above = [(above, gap(above, item))] if above else []
        self.below = [(below, gap(item, below))] if below else []


def straighten(columns: list[list[Item]]) -> None:
    """Level neighbours along an edge, as far as the other items leave room."""
    rows: dict[int, _Row] = {}
    for column in columns:
        for above, item, below in zip([None, *column], column, [*column[1:], None], strict=False):
            rows[id(item)] = _Row(item, above, below)
    for a, b in _neighbours(columns):
        first, second = rows[id(a)], rows[id(b)]
        if first.columns & second.columns:  # two items of one column would overlap
            continue
        if NODE in (a.kind, b.kind) and abs(first.y - second.y) > NEARLY:
            continue
        ceilings, floors = first.above + second.above, first.below + second.below
        least = max([item.y + room for item, room in ceilings], default=-inf)
        most = min([item.y - room for item, room in floors], default=inf)
        if least > most:
            continue
        count, more = len(first.items), len(second.items)
        mean = (first.y * count + second.y * more) / (count + more)
        first.y = max(least, min(most, mean))
        first.items, first.above, first.below = first.items + second.items, ceilings, floors
        first.columns |= second.columns
        for item in second.items:
            rows[id(item)] = first
        for item in first.items:
            item.y = first.y


def _neighbours(columns: list[list[Item]]) -> list[tuple[Item, Item]]:
    """Return pairs along the edges: first those within long lines, then the nodes closest to level."""
    pairs = [(item, after) for column in columns for item in column for after in item.after]
    return sorted(pairs, key=lambda pair: (NODE in (pair[0].kind, pair[1].kind), abs(pair[0].y - pair[1].y)))


def gap(above: Item, below: Item) -> float:
    """Return the least distance between the lines of two neighbours in a column."""
    return above.down + (NODES_APART if above.kind == below.kind == NODE else SPACE) + below.up
