"""The smoke test of the GPU report on the CPU: every stage prints its findings, and a failure stays alone."""

import os
import re
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.gpu_report import library, memory_growth, sanitizer, smoke
from benchmarks.gpu_report.command import main
from benchmarks.gpu_report.few_steps import main as few_steps
from benchmarks.gpu_report.ours import Eager
from benchmarks.gpu_report.rows import Recorder, found, read
from benchmarks.gpu_report.settings import REHEARSAL
from benchmarks.gpu_report.stages import Stages

STAGES = [
    "loading the backend",
    "compiling the CUDA kernels",
    "backprop.warmup()",
    "a launch, and a node of a graph",
    "200 steps with our own products: captured, eager, and on NumPy",
    "40 steps with cuBLAS's products: captured, eager, and on NumPy",
    "memory that 20 training runs by cuBLAS leave behind",
    "3 steps under compute-sanitizer --tool memcheck",
    "3 steps under compute-sanitizer --tool racecheck",
]


@pytest.fixture
def record(tmp_path):
    return Recorder(tmp_path / "rows", "smoke")


def lines(text):
    """Return the printed lines without the seconds since the start."""
    return [line.partition(" s] ")[2] for line in text.splitlines() if re.match(r"\[ *\d+\.\d s\] ", line)]


def test_a_rehearsal_shows_each_of_its_lines_without_mnist_and_without_a_gpu(monkeypatch, capfd):
    monkeypatch.delenv("BACKPROP_DATA_DIR", raising=False)
    assert main(["--smoke", "--rehearse"]) == 0
    output = capfd.readouterr().out
    said = lines(output)
    assert [line.removesuffix(" …") for line in said if line.endswith(" …")] == STAGES
    assert len([line for line in said if line.startswith("  ok, ")]) == len(STAGES) - 2
    assert len([line for line in said if line.startswith("  NOT CHECKED, ")]) == 2  # a CPU has no sanitizer
    for part in (
        "  empty kernel in our loop, 20 a step: ",
        "  captured and eager, largest difference: 0.0e+00 (at most 0)",
        "  captured and NumPy, median difference: ",
        "  done without compute-sanitizer: a CPU has none",
    ):
        assert any(line.startswith(part) for line in said), part
    assert "smoke: done" in output and "Wanted" not in output


def test_a_stage_that_fails_says_so_and_the_later_ones_run(record, monkeypatch, capsys):
    def broken(backend):
        raise RuntimeError("affine.cu(12): error")

    monkeypatch.setattr(library, "compile_kernels", broken)
    smoke.measure(record, REHEARSAL)
    rows = read(record.path)
    assert [row["name"] for row in found(rows, "smoke")] == STAGES
    assert [row["name"] for row in found(rows, "smoke") if row["outcome"] == "FAILED"] == [
        "compiling the CUDA kernels"
    ]
    (error,) = found(rows, "error")  # makes the command exit with 1
    assert error["reason"] == "RuntimeError: affine.cu(12): error"
    assert any(line.startswith("  FAILED, ") for line in lines(capsys.readouterr().out))


@pytest.mark.parametrize("off", [1e-9, 1e-3, float("nan")])
def test_eager_losses_that_differ_at_all_are_a_failure(record, monkeypatch, off):
    train = Eager.train
    monkeypatch.setattr(smoke, "WHOSE", {"our own": (True, 3)})
    # NumPy's peer is an Eager, Captured is not.
    monkeypatch.setattr(smoke.OnNumpy, "train", train)
    monkeypatch.setattr(smoke.Eager, "train", lambda self: [loss + off for loss in train(self)])
    smoke.measure(record, REHEARSAL)
    (error,) = found(read(record.path), "error")
    assert error["reason"].startswith("captured losses differ from those of eager by ")


def test_captured_losses_that_are_not_numpys_are_a_failure(monkeypatch):
    monkeypatch.setattr(
        smoke, "losses", lambda kind, *_: np.array([2.3, 2.2 + 2e-4 * (kind is smoke.OnNumpy)])
    )
    with pytest.raises(smoke.Wrong, match=r"^captured losses differ from those of NumPy by 1\.0e-04$"):
        smoke.compare(None, "cpu", lambda text: None)


def test_memory_that_trainings_leave_behind_is_a_failure(record, monkeypatch):
    used = iter([10 * 2**20, 80 * 2**20])
    monkeypatch.setattr(memory_growth.library, "memory_in_use", lambda backend: next(used))
    memory_growth.stage(Stages(record), REHEARSAL)
    (error,) = found(read(record.path), "error")
    assert error["reason"] == "20 training runs left 70 MiB behind, at most 64 wanted"


STEPS = "own, captured: losses 2.3\nown, eager: losses 2.3"
SUMMARY = "========= ERROR SUMMARY: 0 errors"


class TestSanitizer:
    """The sanitizer stage with a fake compute-sanitizer on PATH."""

    @pytest.fixture
    def install(self, tmp_path, monkeypatch):
        """A function `install(line)`: a fake tool that runs that line of shell and records its arguments."""
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
        monkeypatch.setattr(sanitizer, "CHECKS", {"memcheck": ("own", ["--report-api-errors", "no"])})
        monkeypatch.setattr(type(REHEARSAL), "backend", "numpy")  # which is installed

        def make(line):
            tool = tmp_path / "compute-sanitizer"
            tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n{line}\n')
            tool.chmod(0o755)
            return lambda: (tmp_path / "asked").read_text().split()

        return make

    def stage(self, record, capsys, **changed):
        sanitizer.stage(Stages(record), replace(REHEARSAL, device="cuda", **changed), record)
        (row,) = found(read(record.path), "smoke")
        return row["outcome"], lines(capsys.readouterr().out)

    @pytest.mark.parametrize(
        "summary", [SUMMARY, "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"]
    )
    def test_it_runs_three_steps(self, install, record, capsys, summary):
        run = 'while [ "$1" != "-m" ]; do shift; done; ' + sys.executable + ' "$@"'
        asked = install(f'{run}; echo "{summary}"')
        outcome, said = self.stage(record, capsys)
        options = ["--tool", "memcheck", "--error-exitcode", "99", "--report-api-errors", "no"]
        assert (outcome, asked()[:6]) == ("ok", options)
        assert said[1].strip() == summary.strip("= ")

    def test_what_it_finds_is_a_failure(self, install, record, capsys):
        install('echo "========= ERROR SUMMARY: 3 errors"; exit 99')
        outcome, said = self.stage(record, capsys)
        assert (
            outcome == "FAILED" and found(read(record.path), "error")[0]["reason"] == "memcheck found errors"
        )

    @pytest.mark.parametrize(
        ("printed", "said"),
        [
            (
                "========= Target application terminated before first instrumented API call",
                "done: Target app",
            ),
            (STEPS, "done: own, eager: losses"),  # no summary
            (SUMMARY, "done: ERROR SUMMARY"),  # no step
            (f"{STEPS.splitlines()[0]}\n{SUMMARY}", "done: ERROR SUMMARY"),  # not all steps
        ],
    )
    def test_one_that_looked_at_nothing_is_not_ok(self, install, record, capsys, printed, said):
        install(f"cat <<'END'\n{printed}\nEND")
        outcome, lines_said = self.stage(record, capsys)
        assert outcome == "NOT CHECKED" and lines_said[1].startswith(f"  {said}")
        assert not found(read(record.path), "error")

    def test_one_that_takes_too_long_has_not_checked(self, install, record, capsys):
        install("sleep 60")
        outcome, said = self.stage(record, capsys, limit=1.0)
        assert outcome == "NOT CHECKED" and said[1].startswith("  cut off after 1 s")

    def test_without_it_the_steps_run_all_the_same(self, record, capsys, monkeypatch, install):
        monkeypatch.setattr(sanitizer, "where", lambda: None)
        outcome, said = self.stage(record, capsys)
        assert outcome == "NOT CHECKED"
        assert said[1] == "  done without compute-sanitizer: it is not installed"
        assert [row["name"] for row in found(read(record.path), "missing")] == ["compute-sanitizer"]


def test_memory_for_the_steps_under_it_comes_from_no_pool(monkeypatch):
    asked, without_pool = [], library.without_pool
    cupy = SimpleNamespace(cuda=SimpleNamespace(set_allocator=asked.append))
    monkeypatch.setattr(
        library, "without_pool", lambda _: without_pool(SimpleNamespace(name="cupy", xp=cupy))
    )
    few_steps("numpy", "own")
    assert asked == [None]


def test_a_loss_that_is_not_finite_ends_the_few_steps(monkeypatch):
    monkeypatch.setattr(library, "training_loop", lambda *_: lambda batches: [float("nan")])
    with pytest.raises(SystemExit, match="not finite"):
        few_steps("numpy", "own")
