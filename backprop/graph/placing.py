"""The positions of items within their columns: as level with their neighbours as the spacing allows.

Within a column that is a least-squares problem with a fixed order and least distances, which pooling adjacent
violators solves exactly (M. Ayer et al., Annals of Mathematical Statistics 26, 1955).
"""

from backprop.graph.columns import BEND, NODE, Item
from backprop.graph.diagram import BRANCH, CONSTANT, INPUT, Diagram
from backprop.graph.straightening import gap, straighten

SWEEPS = 12
CLOSEST, WIDEST = 16.0, 44.0  # space between two columns, more if lines are steep


Spring = tuple[Item, float]  # a neighbour that pulls an item to its level, and the strength


class _Column:
    """The items of a column from top to bottom, with the springs that pull them."""

    def __init__(self, origins: list[str], items: list[Item]) -> None:
        self.items = items
        self.before = [_springs(origins, item, item.before) for item in items]
        self.after = [_springs(origins, item, item.after) for item in items]
        self.both = [a + b for a, b in zip(self.before, self.after, strict=True)]
        self.offsets = [0.0]  # the least distance of each below the first
        for above, below in zip(items, items[1:], strict=False):
            self.offsets.append(self.offsets[-1] + gap(above, below))
        for item, offset in zip(items, self.offsets, strict=True):
            item.y = offset

    def settle(self, springs: list[list[Spring]]) -> None:
        """Move the items to where these springs pull them, within their order and sizes."""
        pools: list[tuple[float, float, int]] = []  # mean, strength and size of a group that moves together
        for item, offset, pulls in zip(self.items, self.offsets, springs, strict=True):
            y, strength, count = 0.0, 0.0, 1
            for neighbour, pull in pulls:
                y += pull * neighbour.y
                strength += pull
            y, strength = (y / strength, strength) if pulls else (item.y, 1e-3)
            mean = y - offset
            while pools and pools[-1][0] > mean:
                other, weight, more = pools.pop()
                mean = (mean * strength + other * weight) / (strength + weight)
                strength, count = strength + weight, count + more
            pools.append((mean, strength, count))
        means = [mean for mean, _, count in pools for _ in range(count)]
        for item, mean, offset in zip(self.items, means, self.offsets, strict=True):
            item.y = mean + offset


def place(diagram: Diagram, columns: list[list[Item]], margin: float) -> tuple[float, float]:
    """Set x and y of every item, and return the total width and height."""
    origins = _origins(diagram)
    settled = [_Column(origins, column) for column in columns]
    for sweep in range(SWEEPS):
        for column in settled:
            column.settle(column.before)
        for column in reversed(settled):
            column.settle(column.after)
        if sweep >= SWEEPS // 2:
            for column in settled:
                column.settle(column.both)
    straighten(columns)
    items = [item for column in columns for item in column]
    top = min(item.y - item.up for item in items)
    for item in items:
        item.y = round(item.y - top + margin, 1)
    return _spread(columns, margin) + margin, max(item.y + item.down for item in items) + margin


def _origins(diagram: Diagram) -> list[str]:
    """Return the kind of node that the value of each edge comes from, looking through branches."""
    origins: list[str] = []
    into = {edge.target: i for i, edge in enumerate(diagram.edges)}
    for edge in diagram.edges:  # in topological order
        kind = diagram.nodes[edge.source].kind
        origins.append(origins[into[edge.source]] if kind == BRANCH else kind)
    return origins


def _springs(origins: list[str], item: Item, neighbours: list[Item]) -> list[Spring]:
    return [(neighbour, _strength(origins, item, neighbour)) for neighbour in neighbours]


def _strength(origins: list[str], item: Item, neighbour: Item) -> float:
    """Return the pull between items: long lines pull most, results more than inputs, constants least."""
    on_edge = item if item.kind != NODE else neighbour
    share = {INPUT: 0.01, CONSTANT: 0.0005}.get(origins[on_edge.of], 1.0)
    if BEND not in (item.kind, neighbour.kind):
        return 4.0 * share
    return share * (16.0 if item.kind == neighbour.kind else 0.5)


def _spread(columns: list[list[Item]], left: float) -> float:
    """Set the x of the columns, and return the right end."""
    for i, column in enumerate(columns):
        width = max(item.width for item in column)
        for item in column:
            item.x = round(left + width / 2, 1)
            item.left, item.right = round(left, 1), round(left + width, 1)
        steepest = max((abs(after.y - item.y) for item in column for after in item.after), default=0.0)
        left += width + (min(CLOSEST + steepest / 4, WIDEST) if i < len(columns) - 1 else 0.0)
    return left
