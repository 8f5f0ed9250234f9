"""The GPU report on the CPU: its peers train as NumPy does, and the command prints its findings.

PyTorch and JAX are skipped if they are not installed. Their CUDA captures run only in
`python -m benchmarks.gpu_report` on a GPU.
"""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.gpu_report import machine, probe, with_jax, with_pytorch
from benchmarks.gpu_report.command import main
from benchmarks.gpu_report.job import FIRST, measure_job
from benchmarks.gpu_report.numpy_job import OnNumpy
from benchmarks.gpu_report.ours import Captured, Eager
from benchmarks.gpu_report.problem import job_problem
from benchmarks.gpu_report.processes import DONE, Ending
from benchmarks.gpu_report.readings import CAPTURED, NUMPY
from benchmarks.gpu_report.rows import Recorder, found, read
from benchmarks.gpu_report.settings import REHEARSAL
from benchmarks.gpu_report.targets import LOSSES
from benchmarks.peers.job import CHECKOUT

SMALL = replace(REHEARSAL, samples=2000, iterations=200)


@pytest.fixture(scope="module")
def problem():
    return job_problem(SMALL)


@pytest.fixture
def record(tmp_path):
    return Recorder(tmp_path / "rows", "a group")


@pytest.mark.parametrize(
    ("kind", "why_not"),
    [
        (Captured, None),
        (Eager, None),
        (with_pytorch.Eager, with_pytorch.why_not),
        (with_pytorch.Graph, with_pytorch.why_not),
        (with_jax.Scan, with_jax.why_not),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_peer_trains_as_numpy_does_and_again_after_a_reset(kind, why_not, problem, record):
    if why_not and (reason := why_not("cpu")):
        pytest.skip(reason)
    expected = measure_job(record, OnNumpy, problem, "cpu", rounds=1)
    losses = measure_job(record, kind, problem, "cpu", rounds=2)
    rows = read(record.path)
    assert not found(rows, "error")
    assert len(losses) == FIRST
    for by, limit in LOSSES.values():
        assert by(np.abs(np.subtract(losses, expected))) <= limit
    first, second = found(rows, "job", kind.name)
    assert first["first_losses"] == pytest.approx(second["first_losses"], abs=1e-6)
    assert first["accuracy"] == pytest.approx(found(rows, "job", NUMPY)[0]["accuracy"], abs=0.002)
    assert losses[-1] < losses[0]  # random data that can be learned


def test_a_peer_that_fails_leaves_the_others_be(problem, record):
    class Broken(Eager):
        name = "broken"

        def train(self):
            raise RuntimeError("out of\nmemory")

    assert measure_job(record, Broken, problem, "cpu", rounds=1) is None
    (error,) = found(read(record.path), "error")
    assert (error["name"], error["reason"]) == ("broken", "RuntimeError: out of memory")


def test_the_same_weights_batches_and_data_each_time():
    one, other = job_problem(SMALL), job_problem(SMALL)
    assert np.array_equal(one.batches, other.batches) and np.array_equal(one.data.x, other.data.x)
    assert one.data.x.dtype == np.float32 and 0.6 < (one.data.x == 0).mean() < 0.8 and one.data.x.max() == 1.0


def test_no_gpu_is_one_line_and_exit_code_3(monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert main([]) == 3
    printed = capsys.readouterr()
    assert printed.out == "looking for the GPU, at most 60 s …\n"
    assert printed.err.startswith('gpu_report: backend "cupy" cannot be used: CuPy ')
    assert len(printed.err.splitlines()) == 1


def test_a_rehearsal_writes_what_it_found(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("BACKPROP_DATA_DIR", raising=False)
    file = tmp_path / "report.json"
    assert main(["--rehearse", "--groups=numpy,ours,numerical", f"--json={file}"]) == 0
    output, written = capsys.readouterr().out, json.loads(file.read_text())
    assert max(map(len, output.splitlines())) <= 100
    assert list(tmp_path.iterdir()) == [file] and "limit" not in written["settings"]
    assert "REHEARSAL" in output and "not MNIST" in output and "Wanted" in output
    assert written["rehearsal"] is True and written["machine"]["device"] == "cpu"
    assert written["groups"].keys() == {"numpy", "ours", "numerical"}
    assert {row["name"] for row in written["rows"] if row["what"] == "job"} >= {NUMPY, CAPTURED}
    wanted = {line["what"]: line for line in written["wanted"]}
    assert wanted["cold start"]["reason"] == "the group cold was not asked for"
    assert len(wanted["job, captured"]["rounds"]) == REHEARSAL.rounds


def test_a_driver_that_hangs_costs_a_minute(monkeypatch, capsys):
    def run(command, limit, log):
        log.touch()
        return Ending(f"cut off after {limit:g} s", limit)

    monkeypatch.setattr(probe, "run", run)
    assert main([]) == 3
    assert capsys.readouterr().err == "gpu_report: looking for the GPU: cut off after 60 s\n"


def test_a_commit_that_git_does_not_know_is_said(monkeypatch):
    monkeypatch.setattr(machine, "said_by", lambda *command: None)
    assert machine.around()["commit"] == "unknown"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--groups=ours,bigg"], 2, "--groups: the groups are"),
        (["--mnist=there/is/none"], 3, "there/is/none"),
        (
            ["--json=there/is/none.json"],
            3,
            "--json: there/is/none.json cannot be written: No such",
        ),
        (["--budget=0"], 2, "--budget: invalid seconds value: '0'"),
        (["--budget=nan"], 2, "--budget: invalid"),
        (["--budget=inf"], 2, "--budget: invalid"),
        (["--smoke", "--groups=ours"], 2, "not allowed with argument --smoke"),
    ],
)
def test_a_wrong_call_is_one_line(arguments, status, said, capsys):
    try:
        assert main(["--rehearse", *arguments]) == status
    except SystemExit as ended:  # raised by argparse
        assert ended.code == status
    assert said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.slow
def test_a_rehearsal_of_all_of_it(tmp_path):
    file = tmp_path / "report.json"
    arguments = ["-m", "benchmarks.gpu_report", "--rehearse", f"--json={file}"]
    done = subprocess.run([sys.executable, *arguments], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    written = json.loads(file.read_text())
    assert {ending["how"] for ending in written["groups"].values()} == {DONE}
    assert written["tests"]["passed"] and not written["tests"]["failed"]
    assert {line["verdict"] for line in written["wanted"]} <= {"met", "rehearsal", "not measured"}
