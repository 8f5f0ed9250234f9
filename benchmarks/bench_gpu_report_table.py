"""The verdicts and tables of the GPU report, from made-up rows."""

import pytest

from benchmarks.gpu_report.document import Judgement
from benchmarks.gpu_report.groups import GROUPS
from benchmarks.gpu_report.processes import DONE, Ending
from benchmarks.gpu_report.readings import CAPTURED, NUMPY
from benchmarks.gpu_report.tables import report
from benchmarks.gpu_report.targets import AGREEMENT, CONVOLUTIONAL, DIFFERENCES, SPEED
from benchmarks.gpu_report.wrong import is_wrong

FAST = {  # seconds that meet every target
    "job": {CAPTURED: 0.1, "ours, eager": 0.8, "PyTorch eager": 2.5, "PyTorch CUDA graph": 0.5}
    | {"JAX lax.scan": 0.4, NUMPY: 3.0},
    "big": {"ours, float32": 2.8e-3, "products, float32": 2.5e-3, "ours, TF32": 0.7e-3},
    "race": {CAPTURED: 0.011, "PyTorch eager": 0.4, "PyTorch CUDA graph": 0.03, "JAX lax.scan": 0.014},
    "convolution": {
        f"{name}, {net}": seconds
        for net in CONVOLUTIONAL
        for name, seconds in ((CAPTURED, 1e-4), ("PyTorch CUDA graph", 1.5e-4), ("PyTorch eager", 4e-4))
    },
    "cold start": {"ours": 1.5},
    "numerical": dict.fromkeys(DIFFERENCES, 0.05),
}
GROUP_OF = {"job": "ours", "race": "race", "big": "big", "cold start": "cold", "numerical": "numerical"}
GROUP_OF |= {"convolution": "convolution"}
OTHERS = {NUMPY: "numpy", "PyTorch eager": "pytorch", "PyTorch CUDA graph": "pytorch", "JAX lax.scan": "jax"}


def made_up(**changed):
    """Return the rows of a report in which all is well.  changed: functions, by kind, that spoil a row."""
    rows = []
    for what, times in FAST.items():
        for name, seconds in times.items():
            for i, noise in enumerate((1.0, 0.9, 1.1)):
                group = OTHERS.get(name, GROUP_OF[what])
                group = f"race-{group}" if what == "race" != group else group
                if what == "convolution" and name.startswith("PyTorch"):
                    group = "convolution-pytorch"
                row = {"group": group, "what": what, "name": name, "round": i, "steps": 480, "off": 1e-7}
                row |= {"seconds": seconds * noise, "iterations": 10_000, "accuracy": 0.971}
                row |= {"first_losses": [2.3, 2.2, 2.1], "difference": DIFFERENCES.get(name, 0) / 2}
                rows.append(row)
    rows.append({"group": "big", "what": "big losses", "name": NUMPY, "first_losses": [2.3, 2.2, 2.1]})
    for net in CONVOLUTIONAL:
        row = {"group": "convolution", "what": "convolution losses", "name": f"{NUMPY}, {net}"}
        rows.append(row | {"first_losses": [2.3, 2.2, 2.1]})
    rows.append({"group": "ours", "what": "difference", "name": "ours, captured and eager", "value": 0.0})
    test = {"group": "tests", "unit": "tests/a"}
    rows.append(test | {"what": "collected", "name": "tests/a", "count": 1})
    rows.append(test | {"what": "test", "name": "test_a", "outcome": "passed"})
    for row in rows:
        if row["what"] in changed:
            changed[row["what"]](row)
    return rows


def ended(**otherwise):
    return {name: Ending(DONE, 1.0) for name in GROUPS} | otherwise


def verdicts(rows, endings, rehearsal=False):
    return {line.what: line for line in Judgement(rows, endings, rehearsal).lines}


def text(rows, endings):
    return "\n".join(report(rows, Judgement(rows, endings, rehearsal=False), endings))


def wrong(rows, endings):
    return is_wrong(rows, Judgement(rows, endings, rehearsal=False), endings)


def test_where_all_is_well_every_target_is_met():
    rows, endings = made_up(), ended()
    lines = list(verdicts(rows, endings).values())
    assert len(lines) == len(SPEED) + len(AGREEMENT)
    assert {line.verdict for line in lines} == {"met"}
    assert verdicts(rows, endings)["job: PyTorch eager / captured"].measured == pytest.approx(25)
    assert not wrong(rows, endings)
    assert "PyTorch CUDA graph" in text(rows, endings) and "1 passed, 0 failed" in text(rows, endings)


def test_a_slow_job_misses_and_is_no_error():
    def slow(row):
        row["seconds"] *= 4 if row["name"] == CAPTURED else 1

    rows, endings = made_up(job=slow), ended()
    lines = verdicts(rows, endings)
    assert lines["job, captured"].verdict == "MISSED" and lines["job, captured"].measured == 0.4
    assert lines["job: PyTorch eager / captured"].verdict == "met"
    assert lines["job: JAX lax.scan / captured"].verdict == "met"
    assert lines["job: PyTorch CUDA graph / captured"].verdict == "met"  # 1.25
    assert not wrong(rows, endings)


@pytest.mark.parametrize(
    ("losses", "off"),
    [
        ([2.300003, 2.200003], ["median"]),
        ([2.3, 2.2, 2.103], ["largest"]),
        ([float("nan"), 2.2, 2.1], ["median", "largest"]),
    ],
)
def test_a_peer_with_other_losses_disagrees_if_only_in_one_round(losses, off):
    def spoil(row):
        if row["name"] == "PyTorch CUDA graph" and row["round"] == 1:
            row["first_losses"] = losses

    rows, endings = made_up(job=spoil), ended()
    lines = verdicts(rows, endings)
    assert [line.what for line in lines.values() if line.verdict != "met"] == [
        f"PyTorch CUDA graph: losses off, {which}" for which in off
    ]
    assert wrong(rows, endings)
    assert "DISAGREES" in text(rows, endings)


def test_another_accuracy_disagrees():
    def spoil(row):
        row["accuracy"] -= 0.003 if row["name"] == CAPTURED else 0

    lines = verdicts(made_up(job=spoil), ended())
    line = lines["ours, captured: accuracy against NumPy's"]
    assert line.verdict == "DISAGREES" and line.measured == pytest.approx(0.3)


def test_a_racer_that_takes_other_steps_disagrees():
    def spoil(row):
        row["off"] = 1e-3 if row["name"] == "JAX lax.scan" and row["round"] == 1 else 1e-7
        row["accuracy"] -= 0.02 if row["name"] == CAPTURED else 0

    rows, endings = made_up(race=spoil), ended()
    lines = verdicts(rows, endings)
    assert lines["race, JAX lax.scan: first steps off"].verdict == "DISAGREES"
    assert lines["race to 97 %: accuracy"].verdict == "MISSED" and lines["race to 97 %"].verdict == "met"
    assert lines["race, PyTorch eager: accuracy off"].measured == pytest.approx(2.0)
    assert wrong(rows, endings) and "the race" in text(rows, endings)


def test_what_was_not_measured_says_why():
    gone = {"jax", "pytorch", "big", "cold"}
    rows = [row for row in made_up() if row["group"] not in gone]
    rows.append({"group": "jax", "what": "missing", "name": "JAX", "reason": "jax is not installed"})
    rows.append(
        {"group": "pytorch", "what": "error", "name": "PyTorch CUDA graph", "reason": "RuntimeError: no"}
    )
    cut, dead = Ending("cut off after 30 s", 30.0), Ending("ended by SIGSEGV", 2.0, failed=True)
    endings = ended(big=cut, pytorch=dead)
    del endings["cold"]
    lines = verdicts(rows, endings)
    assert {line.verdict for line in lines.values()} == {"met", "not measured"}
    assert lines["job: JAX lax.scan / captured"].reason == "jax is not installed"
    assert lines["job: PyTorch CUDA graph / captured"].reason == "PyTorch CUDA graph: RuntimeError: no"
    assert lines["job: PyTorch eager / captured"].reason == "the group pytorch: ended by SIGSEGV"
    assert lines["big step, ours: float32 / TF32"].reason == "the group big: cut off after 30 s"
    assert lines["cold start"].reason == "the group cold was not asked for"
    assert not wrong(rows, endings)  # PyTorch's fault is not ours
    assert wrong(rows, ended(ours=dead))
    assert "the group big: cut off after 30 s" in text(rows, endings)


@pytest.mark.parametrize("how", ["cut off after 90 s", "not begun: the budget of 9 s was spent"])
@pytest.mark.parametrize("name", ["smoke", "tests"])
def test_tests_that_come_to_no_end_are_wrong(name, how):
    assert wrong(made_up(), ended(**{name: Ending(how, 90.0)}))


@pytest.mark.parametrize("how", ["cut off after 40 s", "not begun: the time was up"])
def test_a_unit_of_tests_that_comes_to_no_end_is_wrong(how):
    unit = {"group": "tests", "what": "unit", "name": "tests/a", "failed": False, "status": None}
    assert not wrong([*made_up(), unit | {"how": DONE, "status": 0}], ended())
    assert wrong([*made_up(), unit | {"how": how}], ended())


def test_a_rehearsal_meets_no_target_of_speed_and_is_held_to_agree():
    lines = list(verdicts(made_up(), ended(), rehearsal=True).values())
    assert {line.verdict for line in lines[: len(SPEED)]} == {"rehearsal"}
    assert {line.verdict for line in lines[len(SPEED) :]} == {"met"}


def test_nothing_measured_at_all():
    endings = {name: Ending("not begun: the budget of 9 s was spent", 0.0) for name in GROUPS}
    lines = verdicts([], endings).values()
    assert {line.verdict for line in lines} == {"not measured"}
    assert "GPU tests: did not run" in text([], endings)


def test_a_layer_by_both_products_is_one_row():
    rows = [
        {"group": "micro", "what": "product", "name": f"1 x 2 x 3, 2^2.6, {name}", "round": i, "seconds": s}
        for name, s in (("forward, own", 1e-6), ("forward, cuBLAS", 4e-6), ("backward, own", 2e-6))
        for i in range(3)
    ]
    printed = [line.split() for line in text(made_up() + rows, ended()).splitlines()]
    assert ["1", "x", "2", "x", "3,", "2^2.6,", "forward", "1.00", "4.00", "0.25"] in printed
    assert ["1", "x", "2", "x", "3,", "2^2.6,", "backward", "2.00", "-", "-"] in printed
