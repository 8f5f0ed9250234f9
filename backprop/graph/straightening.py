"""Lines that are nearly straight made straight: an eye forgives a bend, but no wobble."""

from backprop.graph.columns import NODE, Item

SPACE, NODES_APART = 8.0, 13.0  # between two items of a column, and between two nodes
NEARLY = 14.0  # by how much a node and its neighbour may differ and still become level


class _Row:
    """Items that are level, each of another column."""

    def __init__(self, item: Item) -> None:
        self.items, self.columns, self.y = [item], {item.column}, item.y


def straighten(columns: list[list[Item]]) -> None:
    """Make level what neighbours each other along an edge, as far as the other items leave room."""
    rows = {id(item): _Row(item) for column in columns for item in column}
    above = {id(b): a for column in columns for a, b in zip(column, column[1:], strict=False)}
    below = {id(a): b for column in columns for a, b in zip(column, column[1:], strict=False)}
    for a, b in _neighbours(columns):
        first, second = rows[id(a)], rows[id(b)]
        if first.columns & second.columns:  # two items of a column would lie on each other
            continue
        if NODE in (a.kind, b.kind) and abs(first.y - second.y) > NEARLY:
            continue
        both = first.items + second.items
        least = max(_least(item, above.get(id(item))) for item in both)
        most = min(_most(item, below.get(id(item))) for item in both)
        if least > most:
            continue
        mean = (first.y * len(first.items) + second.y * len(second.items)) / len(both)
        first.items, first.columns = both, first.columns | second.columns
        first.y = max(least, min(most, mean))
        for item in both:
            item.y, rows[id(item)] = first.y, first


def _neighbours(columns: list[list[Item]]) -> list[tuple[Item, Item]]:
    """Pairs along the edges: first within long lines, then the nodes that are most nearly level."""
    pairs = [(item, after) for column in columns for item in column for after in item.after]
    return sorted(pairs, key=lambda pair: (NODE in (pair[0].kind, pair[1].kind), abs(pair[0].y - pair[1].y)))


def _least(item: Item, above: Item | None) -> float:
    return above.y + gap(above, item) if above else float("-inf")


def _most(item: Item, below: Item | None) -> float:
    return below.y - gap(item, below) if below else float("inf")


def gap(above: Item, below: Item) -> float:
    """How far the lines of two neighbours in a column must be apart."""
    return above.down + (NODES_APART if above.kind == below.kind == NODE else SPACE) + below.up
