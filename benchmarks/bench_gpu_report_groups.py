"""The groups of the GPU report: one that hangs, crashes or comes late costs itself alone, and is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.gpu_report.command import is_wrong
from benchmarks.gpu_report.groups import GROUPS, Group
from benchmarks.gpu_report.processes import DONE, run_all
from benchmarks.gpu_report.rows import Recorder, found, read
from benchmarks.gpu_report.settings import BUDGET, REHEARSAL
from benchmarks.gpu_report.tests_summary import summary

MODULE = """
import os, subprocess, sys, time

def measure(record, settings):
    record("job", "begun", seconds=1.0)
    {body}
    record("job", "ended", seconds=1.0)
"""


@pytest.fixture
def group(tmp_path, monkeypatch):
    """group(name, body, limit): a group of that name whose process does what `body` says."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(name, body, limit=30.0):
        (tmp_path / f"group_{name}.py").write_text(MODULE.format(body=body))
        return {name: Group(f"group_{name}", limit)}

    return make


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # gone, or a system that does not say
        return False


def test_a_group_that_hangs_or_crashes_costs_itself_alone(group, tmp_path):
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    groups = {
        **group("hangs", f"record('pid', 'child', pid={child}.pid); time.sleep(60)", limit=2.0),
        **group("crashes", "os.abort()"),
        **group("raises", "raise ValueError('such a value')"),
        **group("works", "pass"),
    }
    endings = run_all(groups, REHEARSAL, 60, tmp_path / "rows")
    assert endings["hangs"].how == "cut off after 2 s" and not endings["hangs"].failed
    assert endings["crashes"].how == "ended by SIGABRT" and endings["crashes"].failed
    assert endings["raises"].how == "exit status 1: ValueError: such a value" and endings["raises"].failed
    assert endings["works"].how == DONE
    rows = read(tmp_path / "rows")
    assert [row["group"] for row in found(rows, "job", "begun")] == list(groups)  # what came first is kept
    assert [row["group"] for row in found(rows, "job", "ended")] == ["works"]
    assert not is_alive(found(rows, "pid")[0]["pid"])  # what it started ended with it


def test_what_the_budget_does_not_reach_is_named(group, tmp_path):
    groups = {**group("long", "time.sleep(60)"), **group("late", "pass")}
    endings = run_all(groups, REHEARSAL, 1.2, tmp_path / "rows")
    assert endings["long"].how.startswith("cut off after 1.") and endings["long"].seconds < 5
    assert endings["late"].how == "not begun: the budget of 1.2 s was spent"


def test_the_limits_leave_every_group_its_time():
    assert sum(group.limit for group in GROUPS.values()) <= BUDGET < 360


def test_a_row_that_was_cut_short_is_none(tmp_path):
    record = Recorder(tmp_path / "rows", "a group")
    record("job", "ours", seconds=1.0)
    with record.path.open("a") as file:
        file.write('{"what": "jo')
    assert [row["name"] for row in read(record.path)] == ["ours"]


def test_tests_are_counted_though_their_process_ends_early(tmp_path):
    tests = tmp_path / "test_some.py"
    tests.write_text(
        "import os, pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 1 == 2\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError\n"
        "def test_of_broken(broken): pass\n"
        "def test_deadly(): os.kill(os.getpid(), 9)\n"
        "def test_late(): pass\n"
    )
    settings = replace(REHEARSAL, tests=(str(tests),))
    endings = run_all({"tests": GROUPS["tests"]}, settings, 60, tmp_path / "rows")
    outcome = summary(read(tmp_path / "rows"))
    assert endings["tests"].how == "ended by SIGKILL"
    assert (outcome.collected, outcome.passed, outcome.unfinished) == (5, 1, 2)
    assert [name.partition("::")[2] for name in outcome.failed] == ["test_bad", "test_of_broken"]
    assert [name.partition("::")[2] for name in outcome.running] == ["test_deadly"]
    assert "1 passed, 2 failed, 0 skipped, 2 not finished (in " in outcome.in_words()
    assert is_wrong(read(tmp_path / "rows"), [], endings)
