"""The rank of each node, so that every edge leads to the right."""

from backprop.graph.diagram import BRANCH, CONSTANT, INPUT, Diagram

NEAR = 3  # an input at most this many ranks before its first use stays at the left


def ranks(diagram: Diagram) -> list[int]:
    """Return a rank for each node: the length of the longest path to it.

    A constant moves right to just before its use; another input does only if its use is far away.
    """
    sources: list[list[int]] = [[] for _ in diagram.nodes]
    targets: list[list[int]] = [[] for _ in diagram.nodes]
    for edge in diagram.edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)
    rank = [0] * len(diagram.nodes)
    for node in range(len(diagram.nodes)):  # in topological order
        rank[node] = max((rank[source] + 1 for source in sources[node]), default=0)
    for node in reversed(range(len(diagram.nodes))):
        kind = diagram.nodes[node].kind
        if not targets[node]:
            continue
        latest = min(rank[target] for target in targets[node]) - 1
        of_input = kind == BRANCH and diagram.nodes[sources[node][0]].kind in (INPUT, CONSTANT)
        if kind == CONSTANT or of_input or (kind == INPUT and latest >= NEAR):
            rank[node] = latest
    return rank
