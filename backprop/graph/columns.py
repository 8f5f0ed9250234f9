"""All nodes and edges in columns: nodes in the even columns, the texts of edges in the odd ones.

An edge is a chain of items. Its two texts stand in the column after its source, and it has a bend in each
further column. So texts, lines and nodes cannot overlap if the items of each column do not. The edges of a
branch share their bends as far as they run together, and each has its texts just before its end.

The order within columns follows K. Sugiyama et al., "Methods for visual understanding of hierarchical system
structures" (IEEE Trans. SMC 11, 1981): each item moves to the mean position of its neighbours, in alternating
sweeps, and the order with the fewest crossings is kept.
"""

from bisect import bisect_right, insort
from dataclasses import dataclass, field

from backprop.graph.diagram import BRANCH, Diagram

SWEEPS = 8
NODE, LABEL, BEND = "node", "label", "bend"


@dataclass(eq=False)
class Item:
    """A node, a text or a bend in a column.

    of: the index of its node or edge in the diagram.  width: its width.  up, down: its height above and below
    its line.  x, y: its middle.  left, right: the sides of its column.  turn: for the first item of a further
    row, the height at which the line runs back to it.
    """

    kind: str
    of: int
    column: int
    width: float = 0.0
    up: float = 0.0
    down: float = 0.0
    x: float = 0.0
    y: float = 0.0
    left: float = 0.0
    right: float = 0.0
    turn: float | None = None
    before: list["Item"] = field(default_factory=list)
    after: list["Item"] = field(default_factory=list)


@dataclass
class Columns:
    """The items by column, from top to bottom, and those of each node and of each edge."""

    columns: list[list[Item]]
    nodes: list[Item]
    chains: list[list[Item]]


def columns_of(diagram: Diagram, rank: list[int]) -> Columns:
    """Return the items of a diagram, without sizes, in an order with few crossings."""
    nodes = [Item(NODE, node, 2 * rank[node]) for node in range(len(diagram.nodes))]
    chains: list[list[Item]] = []
    trunks: dict[tuple[int, int], Item] = {}  # the shared bends of a branch, by node and column
    for i, edge in enumerate(diagram.edges):
        columns = range(nodes[edge.source].column + 1, nodes[edge.target].column)
        if diagram.nodes[edge.source].kind == BRANCH:
            chain = [trunks.setdefault((edge.source, c), Item(BEND, i, c)) for c in columns[:-1]]
            chain.append(Item(LABEL, i, columns[-1]))
        else:
            chain = [Item(LABEL, i, columns[0]), *(Item(BEND, i, c) for c in columns[1:])]
        for a, b in zip([nodes[edge.source], *chain], [*chain, nodes[edge.target]], strict=True):
            if b not in a.after or LABEL in (a.kind, b.kind):
                a.after.append(b)
                b.before.append(a)
        chains.append(chain)
    read: list[list[Item]] = [[] for _ in range(2 * max(rank) + 1)]
    for item in _as_read(nodes):
        read[item.column].append(item)
    return Columns(_untangled(read), nodes, chains)


def _as_read(nodes: list[Item]) -> list[Item]:
    """Return all items, operands in order before their result, so that a tree has no crossings."""
    seen: set[int] = set()
    order: list[Item] = []
    for end in (node for node in nodes if not node.after):
        stack = [(end, False)]
        while stack:  # no recursion, since a chain may exceed the recursion limit
            item, done = stack.pop()
            if done:
                order.append(item)
            elif id(item) not in seen:
                seen.add(id(item))
                stack.append((item, True))
                stack.extend((before, False) for before in reversed(item.before))
    return order


def _untangled(columns: list[list[Item]]) -> list[list[Item]]:
    best, fewest = columns, _crossings(columns)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        columns = [list(column) for column in columns]
        place = {id(item): i for column in columns for i, item in enumerate(column)}
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wish = {}
            for item in column:
                neighbours = item.before if sweep % 2 == 0 else item.after
                places = [place[id(neighbour)] for neighbour in neighbours] or [place[id(item)]]
                wish[id(item)] = sum(places) / len(places)
            column.sort(key=lambda item: wish[id(item)])
            place.update((id(item), i) for i, item in enumerate(column))
        crossings = _crossings(columns)
        if crossings < fewest:
            best, fewest = columns, crossings
    return best


def _crossings(columns: list[list[Item]]) -> int:
    """Return how many lines cross between neighbouring columns."""
    count = 0
    for left, right in zip(columns, columns[1:], strict=False):
        place = {id(item): i for i, item in enumerate(right)}
        ends: list[int] = []  # of the lines so far, sorted
        for item in left:
            mine = sorted(place[id(after)] for after in item.after)
            count += sum(len(ends) - bisect_right(ends, end) for end in mine)
            for end in mine:
                insort(ends, end)
    return count
