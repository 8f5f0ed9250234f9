"""The JSON of the GPU report: it has every row, even malformed ones, and is never half written."""

import json
import os

import pytest

from benchmarks.gpu_report import document, visit
from benchmarks.gpu_report.command import main
from benchmarks.gpu_report.processes import DONE, Ending
from benchmarks.gpu_report.rows import Recorder
from benchmarks.peers.job import CHECKOUT

JOB = {"what": "job", "round": 0, "seconds": 0.1, "iterations": 10, "accuracy": 0.9}
ROWS = [
    {**JOB, "group": "numpy", "name": "ours on NumPy", "first_losses": [2.3]},
    {**JOB, "group": "ours", "name": "ours, captured", "first_losses": [2.3]},
    {"group": "cold", "what": "cold start", "name": "ours", "round": 0, "seconds": 1.0},
]
MALFORMED = {
    "no first losses": {**JOB, "group": "ours", "name": "ours, captured"},
    "an empty list of losses": {**JOB, "group": "ours", "name": "ours, captured", "first_losses": []},
    "no seconds": {"group": "cold", "what": "cold start", "name": "ours"},
    "a test without an outcome": {"group": "tests", "what": "test", "name": "test_a", "unit": "tests"},
    "a wrong type": {"group": "micro", "what": "micro", "name": "a launch", "seconds": "long"},
}


@pytest.fixture
def report(tmp_path, monkeypatch, capsys):
    """A function `report(rows)`: exit status, JSON and output of a run whose groups wrote these rows."""
    monkeypatch.delenv("BACKPROP_DATA_DIR", raising=False)

    def run(rows, before=lambda: None):
        def run_all(groups, settings, budget, path, group_ended, started):
            for row in rows:
                facts = {key: value for key, value in row.items() if key not in ("group", "what", "name")}
                Recorder(path, row["group"])(row["what"], row["name"], **facts)
            before()
            group_ended("ours", Ending(DONE, 1.0))

        monkeypatch.setattr(visit, "run_all", run_all)
        status = main(["--rehearse", "--groups=ours", f"--json={tmp_path / 'report.json'}"])
        return status, json.loads((tmp_path / "report.json").read_text()), capsys.readouterr().out

    return run


def test_where_all_is_well_there_is_no_fault(report):
    status, written, output = report(ROWS)
    assert (status, written["faults"], written["rows"]) == (0, [], ROWS)
    assert "Faults" not in output


def test_paths_in_the_checkout_are_relative(report):
    _, written, _ = report(
        [*ROWS, {"group": "ours", "what": "error", "name": "a", "reason": f"{CHECKOUT}/a/b.py"}]
    )
    assert written["rows"][-1]["reason"] == "a/b.py"


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_row_costs_no_other_and_is_said(malformed, report):
    rows = [*ROWS, malformed]
    status, written, output = report(rows)
    assert status == 1
    assert written["rows"] == rows and written["groups"]["ours"]["how"] == DONE
    assert "Faults of this report itself" in output
    assert "Groups" in output and "Wanted" in output  # the tables after the one that failed
    if malformed["what"] != "micro":  # a row that is only printed
        assert written["faults"]
        assert "FAULT" in output or "the tests: KeyError" in output


def test_the_rows_are_written_before_anything_judges_them(report, tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def judging(*_):
        raise Killed

    monkeypatch.setattr(visit, "Judgement", judging)
    with pytest.raises(Killed):
        report(ROWS)
    assert json.loads((tmp_path / "report.json").read_text())["rows"] == ROWS


def test_a_disk_that_fills_up_meanwhile_does_not_stop_it(report, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    status, written, output = report(ROWS, lambda: monkeypatch.setattr(os, "fsync", full))
    assert status == 3 and written["rows"] == []  # unchanged
    assert "Wanted" in output and "report.json cannot be written: No space left" in output


def test_the_file_is_never_half_written(tmp_path, monkeypatch):
    file = tmp_path / "report.json"
    document.write(file, {"rows": [1]})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(document.NotWritten, match="No space"):
        document.write(file, {"rows": [1, 2]})
    assert json.loads(file.read_text()) == {"rows": [1]}
    assert list(tmp_path.iterdir()) == [file]
