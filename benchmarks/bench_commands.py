"""The commands that measure for longer, each run once at its smallest size: `pytest -m slow`."""

import json
import subprocess
import sys

import pytest

from benchmarks.memory import STATUS
from benchmarks.peers.job import CHECKOUT

pytestmark = pytest.mark.slow


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def test_peers(tmp_path):
    file = tmp_path / "peers.json"
    quick = ["--rounds=1", "--block=0.001", "--job-rounds=1", "--iterations=700"]
    output = run("benchmarks.peers", "--job", *quick, f"--json={file}")
    assert "The train step" in output and "The whole job" in output and "Wanted" in output
    written = json.loads(file.read_text())
    assert written["data"] in output
    assert {result["evaluations"] for result in written["job"]} == {3}
    assert {*written["step"]} >= {"ours", "ours + loss", "the book's loop"}


@pytest.mark.skipif(not STATUS.exists(), reason="reads /proc")
def test_memory():
    _, first, *further, losses = run("benchmarks.memory", "--steps=100").splitlines()
    assert first.startswith("1,000 steps: +") and losses == "the losses of 100 steps take 0.0 MiB"
    assert len(further) == 2 and all(line.startswith("100 steps: ") for line in further)


def test_keeping():
    command = [sys.executable, "-m", "benchmarks.keeping", "--rounds=1", "--iterations=1200"]
    ran = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)  # a time may be missed
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("1,200 iterations: ") and lines[1].startswith("ratio ")
    assert lines[3].endswith(": met") and "84 MB of weights: saved in" in lines[2]
    assert not STATUS.exists() or lines[4].endswith(": met")
