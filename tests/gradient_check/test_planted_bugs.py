"""Every planted bug is caught with the right verdict; every right layer passes."""

import json

import pytest
from planted_bugs import BUGS
from right_layers import RIGHT

from backprop import check_gradients

METHODS = ("complex", "central")
MODES = ("fast", "full")
# Off by a relative 1e-8 or less, the precision of central differences.
TOO_FINE_FOR_CENTRAL = {"an epsilon of 1e-9"}


def test_the_list_is_long_enough():
    assert len(BUGS) >= 60


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_layer_passes(name, method, mode):
    report = check_gradients(*RIGHT[name](), method=method, mode=mode)
    report.assert_ok()
    assert str(report).endswith("all gradients agree")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("name", "method"),
    [(n, m) for n in BUGS for m in METHODS if m == "complex" or n not in TOO_FINE_FOR_CENTRAL],
)
def test_a_bug_is_caught_and_explained(name, method, mode):
    bug = BUGS[name]
    report = check_gradients(*bug(), method=method, mode=mode)
    assert not report.ok
    verdicts = {array.name: array.verdict for array in report.arrays}
    if bug.array:
        assert verdicts[bug.array] == bug.verdict
    else:
        assert bug.verdict in [fault.kind for fault in report.faults]
    assert bug.verdict in " ".join(str(report).split())
    assert max(map(len, str(report).splitlines())) <= 80
    json.dumps(report.to_dict())


@pytest.mark.parametrize("name", [name for name, bug in BUGS.items() if bug.array])
def test_only_the_wrong_array_is_blamed(name):
    """A fault in one gradient leaves the others right; a fault in the loss makes all of them wrong."""
    bug = BUGS[name]
    arrays = check_gradients(*bug()).arrays
    wrong = {array.name for array in arrays if array.verdict not in ("ok", "not compared")}
    of_all = bug.verdict == "epsilon in the loss"
    assert wrong == ({array.name for array in arrays} if of_all else {bug.array})
