"""Results that the GPU report leaves when it is interrupted or killed, or when nobody reads its output."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks.gpu_report.rows import found, read
from benchmarks.gpu_report.settings import REHEARSAL
from benchmarks.peers.job import CHECKOUT

COMMAND = """
import sys
from benchmarks.gpu_report import command, groups

groups.GROUPS.clear()
groups.GROUPS["smoke"] = groups.Group("made_up", 60, live=True)
sys.exit(command.main(["--rehearse", "--groups=smoke", "--json=" + sys.argv[1]]))
"""
GROUP = """
import os, subprocess, sys, time

def measure(record, settings):
    record("pid", "this", pid=os.getpid())
    print("it has begun", flush=True)
    {body}
"""
HANGS = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """A function `begin(body)`: the running command, its JSON file, and the process id of its only group."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("BACKPROP_DATA_DIR", raising=False)
    file = tmp_path / "report.json"

    def make(body):
        (tmp_path / "made_up.py").write_text(GROUP.format(body=body))
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(file)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )
        for line in process.stdout:
            if "it has begun" in line:
                return process, file, found(read(file.with_name("report.json.rows")), "pid")[0]["pid"]
        raise AssertionError("the group has not begun")

    return make


def ends(pid, within=20.0):
    """Return whether a process ends within so many seconds."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_ends_it_with_what_there_is_written_and_printed(begin, number):
    process, file, pid = begin("time.sleep(60)")
    process.send_signal(number)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    written = json.loads(file.read_text())
    assert written["groups"]["smoke"]["how"] == "interrupted" and written["rows"][0]["pid"] == pid
    assert "Groups" in printed and "interrupted" in printed
    assert not file.with_name("report.json.rows").exists()
    assert ends(pid)


def test_under_nohup_it_goes_on(begin):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited by the processes that it starts
    try:
        process, file, _ = begin("time.sleep(1)")
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 0 and json.loads(file.read_text())["groups"]["smoke"]["how"] == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
def test_one_that_is_killed_takes_its_processes_along_and_leaves_the_rows(begin):
    process, file, pid = begin(HANGS)
    process.kill()
    process.communicate(timeout=30)
    assert ends(pid)
    assert json.loads(file.read_text())["rows"] == []
    assert read(file.with_name("report.json.rows"))[0]["pid"] == pid


def test_an_output_that_nobody_reads_costs_no_result(begin):
    process, file, pid = begin('time.sleep(0.5); print("more"); record("more", "ours")')
    process.stdout.close()  # like `| head`
    assert process.wait(timeout=30) == 0
    written = json.loads(file.read_text())
    assert written["groups"]["smoke"]["how"] == "done" and "wanted" in written
    assert [row["name"] for row in written["rows"]] == ["this", "ours"]


def test_a_group_ends_by_itself_some_time_after_its_limit(tmp_path):
    (tmp_path / "made_up.py").write_text(GROUP.format(body=HANGS))
    settings = json.dumps(asdict(replace(REHEARSAL, limit=0.5)))
    code = "import sys; from benchmarks.gpu_report import child; child.AFTER = 1; child.main(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, "smoke", "made_up", str(tmp_path / "rows"), settings],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=CHECKOUT,
        timeout=30,
    )
    assert done.returncode == -signal.SIGALRM
