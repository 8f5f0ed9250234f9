"""Lines made level: never two items of one column, and none across another item."""

import pytest

from backprop.graph.columns import BEND, LABEL, Item
from backprop.graph.straightening import gap, straighten


def connected(*pairs):
    for before, after in pairs:
        before.after.append(after)
        after.before.append(before)


def item(kind, column, y):
    return Item(kind, 0, column, up=10.0, down=10.0, y=y)


@pytest.mark.parametrize("apart", [30.0, 60.0, 500.0])
def test_two_ends_of_a_branch_stay_apart(apart):
    """Two neighbours of one bend stay apart, even with room to pull them together."""
    trunk = item(BEND, 1, 0.0)
    upper, lower = item(LABEL, 2, -apart / 2), item(LABEL, 2, apart / 2)
    connected((trunk, upper), (trunk, lower))
    straighten([[], [trunk], [upper, lower]])
    assert lower.y - upper.y >= gap(upper, lower)
    assert trunk.y in (upper.y, lower.y)


def test_a_long_line_becomes_level():
    bends = [item(BEND, column, y) for column, y in enumerate((0.0, 9.0, -40.0, 3.0))]
    connected(*zip(bends, bends[1:], strict=False))
    straighten([[bend] for bend in bends])
    assert len({bend.y for bend in bends}) == 1


def test_an_item_gives_way_to_what_stands_between():
    first, second, other = item(BEND, 1, 0.0), item(BEND, 2, 100.0), item(LABEL, 2, 50.0)
    connected((first, second))
    below = item(LABEL, 1, 40.0)
    straighten([[], [first, below], [other, second]])
    assert second.y - other.y >= gap(other, second)
    assert below.y - first.y >= gap(first, below)
