"""The groups of the GPU report: one that hangs, crashes or starts late affects no other, and is named."""

import time
from pathlib import Path

import pytest

from benchmarks.gpu_report.groups import AFTERWARDS, COMPILING, GROUPS, MEASURED, Group, chosen
from benchmarks.gpu_report.processes import DONE
from benchmarks.gpu_report.rows import Recorder, found, read
from benchmarks.gpu_report.running import run_all
from benchmarks.gpu_report.settings import BUDGET, REHEARSAL

MODULE = """
import os, subprocess, sys, time

def measure(record, settings):
    record("job", "begun", seconds=1.0)
    {body}
    record("job", "ended", seconds=1.0)
"""


@pytest.fixture
def group(tmp_path, monkeypatch):
    """A function `group(name, body, limit)`: a group of that name whose process runs `body`."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(name, body, limit=30.0, **options):
        (tmp_path / f"group_{name}.py").write_text(MODULE.format(body=body))
        return {name: Group(f"group_{name}", limit, **options)}

    return make


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # gone, or the system does not tell
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
    assert [row["group"] for row in found(rows, "job", "begun")] == list(groups)  # earlier rows are kept
    assert [row["group"] for row in found(rows, "job", "ended")] == ["works"]
    assert not is_alive(found(rows, "pid")[0]["pid"])  # its child ended with it


def test_what_the_budget_does_not_reach_is_named(group, tmp_path):
    groups = {**group("long", "time.sleep(60)"), **group("late", "pass")}
    endings = run_all(groups, REHEARSAL, 1.2, tmp_path / "rows")
    assert endings["long"].how.startswith("cut off after 1.") and endings["long"].seconds < 30
    assert endings["late"].how == "not begun: the budget of 1.2 s was spent"


@pytest.mark.parametrize("ends", ["outcome='FAILED'", "outcome=os.abort()"])
def test_where_smoke_cannot_compile_our_kernels_nothing_of_them_begins(group, tmp_path, ends):
    groups = {
        **group("smoke", f"record('smoke', {COMPILING!r}, {ends})"),
        **group("ours", "pass", our_kernels=True),
        **group("tests", "pass"),
    }
    endings = run_all(groups, REHEARSAL, 60, tmp_path / "rows")
    assert endings["ours"].how == "not begun: smoke failed in 'compiling the CUDA kernels'"
    assert endings["tests"].how == DONE
    needing = {name for name, made in GROUPS.items() if made.our_kernels}
    assert needing == {"ours", "race", "convolution", "big", "cold", "numerical", "micro"}
    groups |= group("smoke", f"record('smoke', {COMPILING!r}, outcome='ok')")
    assert run_all(groups, REHEARSAL, 60, tmp_path / "rows")["ours"].how == DONE


def test_the_budget_counts_from_the_start_of_the_command(group, tmp_path):
    started = time.monotonic() - 60
    endings = run_all(group("late", "pass"), REHEARSAL, 60, tmp_path / "rows", started=started)
    assert endings["late"].how == "not begun: the budget of 60 s was spent"


def test_what_a_process_of_a_group_has_started_ends_with_the_group(group, tmp_path):
    """Check processes in other sessions, such as those of the tests and of the sanitizer."""
    inner = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    body = f"""
    from pathlib import Path
    from benchmarks.gpu_report.processes import run
    run([sys.executable, "-c", {inner!r}], 60, Path({str(tmp_path / "inner.log")!r}))
    """
    endings = run_all(group("nested", body, limit=3.0), REHEARSAL, 60, tmp_path / "rows")
    assert endings["nested"].how == "cut off after 3 s"
    assert not is_alive(int((tmp_path / "inner.log").read_text()))


def test_what_a_live_group_prints_is_shown_as_it_comes_and_kept(group, tmp_path, capfd):
    body = """
    print("how far it came")
    print(os.environ.get("CUPY_ACCELERATORS"))
    time.sleep(0.5)
    import ctypes
    ctypes.string_at(0)
    """
    groups = group("live", body, live=True, without_cub=True)
    (ending,) = run_all(groups, REHEARSAL, 60, tmp_path / "rows").values()
    assert ending.how == "ended by SIGSEGV"
    shown = capfd.readouterr().out.splitlines()
    assert shown[:3] == ["live, at most 30 s:", "how far it came", ""]
    assert "Fatal Python error: Segmentation fault" in shown  # with the place
    assert "how far it came" in (tmp_path / "live.log").read_text()


def test_each_of_two_commands_ends_within_nine_minutes():
    assert chosen(None, rehearsal=False) == MEASURED and list(MEASURED)[0] == "smoke"
    assert chosen("tests,private", rehearsal=False) == AFTERWARDS
    for groups in (MEASURED, AFTERWARDS):
        assert sum(group.limit for group in groups.values()) <= BUDGET <= 510 < 540
    assert MEASURED["smoke"].limit <= 90


def test_a_row_that_was_cut_short_is_none_and_the_others_are_read(tmp_path):
    record = Recorder(tmp_path / "rows", "a group")
    record("job", "ours", seconds=1.0)
    with record.path.open("a") as file:
        file.write('{"what": "jo')
    assert [row["name"] for row in read(record.path)] == ["ours"]
    record("job", "of the next group", seconds=1.0)
    assert [row["name"] for row in read(record.path)] == ["ours", "of the next group"]
