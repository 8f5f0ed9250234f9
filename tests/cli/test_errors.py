"""An expected failure of any command is one line on standard error, and an exit code that tells its kind."""

import re
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop

ROOT = Path(__file__).parents[2]
TRAIN = ("train", "--data", "sample", "--iterations", 1, "--hidden", 2)


def test_no_command_shows_the_help_and_is_a_wrong_call(call):
    ran = call()
    assert ran.code == 2 and ran.out == ""
    assert "Usage: backprop" in ran.err and all(name in ran.err for name in ("train", "check", "info"))


@pytest.mark.parametrize(
    "arguments", [["--help"], *([name, "--help"] for name in ("train", "check", "bench", "graph", "info"))]
)
def test_help_fits_a_terminal(call, arguments):
    ran = call(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: backprop") and max(map(len, ran.lines)) <= 80
    assert not any(line.endswith("...") for line in ran.lines[1:]), "click cuts a summary that is too long"


@pytest.mark.parametrize("name", ["train", "predict", "evaluate", "check", "bench", "graph", "info"])
def test_help_has_an_example_and_a_short_name(call, name):
    ran = call(name, "-h")
    assert ran.out == call(name, "--help").out
    assert any(line.startswith("    ") and f"backprop {name}" in line for line in ran.lines)


def test_help_lists_choices_in_the_order_in_which_it_describes_them(call):
    assert re.search(
        r"\[fast\|full\] +Check along a random direction, or every entry", call("check", "-h").out
    )
    assert re.search(
        r"\[auto\|mnist\|fashion-mnist\|sample\]\s+auto takes MNIST if it", call("train", "-h").out
    )


def test_help_says_how_batches_are_drawn(call):
    assert "draw: with replacement. epochs: each sample once per epoch" in " ".join(
        call("train", "-h").out.split()
    )


def test_help_is_there_without_docstrings():
    command = [sys.executable, "-OO", "-m", "backprop.cli"]
    ran = subprocess.run([*command, "train", "-h"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Train a network on MNIST" in ran.stdout and "Units of each hidden layer" in ran.stdout


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version(call, option):
    assert call(option).out == f"backprop, version {backprop.__version__}\n"


def test_its_package_runs_as_well(monkeypatch, capsys):
    """`python -m backprop.cli` is what one may try first."""
    monkeypatch.setattr(sys, "argv", ["cli", "--version"])
    monkeypatch.delitem(sys.modules, "backprop.cli.__main__", raising=False)  # runpy warns if it was imported
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("backprop.cli", run_name="__main__")
    assert (ended.value.code, capsys.readouterr().out.split()[0]) == (0, "backprop,")


@pytest.mark.parametrize("command", ["train", "check"])
@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "BACKPROP_BACKEND",
            "nunpy",
            ("BACKPROP_BACKEND=nunpy", "auto, cupy, numpy", 'did you mean "numpy"?'),
        ),
        ("BACKPROP_DTYPE", "float16", ("BACKPROP_DTYPE", "float32 or float64", "'float16'")),
    ],
)
def test_a_typo_in_a_variable_is_a_wrong_call(call, monkeypatch, command, variable, value, words):
    monkeypatch.setenv(variable, value)
    ran = call(command)
    assert (ran.code, ran.out) == (2, "")
    assert all(word in ran.error for word in words)


UNWRITABLE = {
    "no such folder": lambda folder: folder / "no" / "run.json",
    "a folder": lambda folder: folder,
    "a name too long": lambda folder: folder / f"{'n' * 300}.json",
    "a file as folder": lambda folder: folder / "file" / "run.json",
}


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_an_unwritable_json_is_refused_before_the_training(call, tmp_path, kind):
    (tmp_path / "file").touch()
    ran = call(*TRAIN, "--json", UNWRITABLE[kind](tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert "--json" in ran.error


def test_a_refused_call_leaves_no_json_behind(call, tmp_path):
    file = tmp_path / "run.json"
    assert call("train", "--json", file, "--iterations", 5, "--epochs", 5).code == 2
    assert not file.exists()


def test_an_old_json_stays_where_the_run_fails(call, tmp_path, no_cupy):
    file = tmp_path / "run.json"
    file.write_text("old")
    assert call(*TRAIN, "--json", file, "--backend", "cupy").code == 3
    assert file.read_text() == "old"


@pytest.mark.parametrize("command", ["train", "check"])
@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_missing_backend_is_exit_code_3(call, monkeypatch, no_cupy, command, way):
    if way == "variable":
        monkeypatch.setenv("BACKPROP_BACKEND", "cupy")
    ran = call(command, *(["--backend", "cupy"] if way == "option" else []))
    assert (ran.code, ran.out) == (3, "")
    assert ran.error.startswith(
        f'backprop {command}: backend "cupy" cannot be used: CuPy is not installed; pip install '
    )
    assert ran.error.endswith(", or --backend numpy") and len(ran.error) <= 200


def test_too_little_memory_is_exit_code_3(call, monkeypatch):
    def fail(*arguments, **options):
        raise MemoryError("Unable to\nallocate 584. GiB")

    monkeypatch.setattr(import_module("backprop.cli.train.command"), "make_network", fail)
    ran = call(*TRAIN)
    assert ran.code == 3
    assert (
        ran.error
        == "backprop train: out of memory (Unable to allocate 584. GiB); lower --hidden or --batch-size"
    )


def test_a_cure_of_the_library_takes_no_second_one_beside_it(call, monkeypatch):
    def fail(*arguments, **options):
        raise MemoryError("train: 8 GiB; lower batch_size, or the hidden units") from MemoryError("8 GiB")

    monkeypatch.setattr(backprop, "train", fail)
    assert call(*TRAIN).error == "backprop train: out of memory (8 GiB); lower --hidden or --batch-size"


def test_a_fault_of_the_library_itself_keeps_its_traceback(call, monkeypatch):
    def fault(*arguments, **options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(import_module("backprop.cli.train.command"), "make_network", fault)
    with pytest.raises(RuntimeError, match="a bug"):
        call(*TRAIN)


def test_the_line_and_the_code_reach_the_shell(call_outside):
    ran = call_outside("train", "--epochs", "none")
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("backprop train: ") and "got none" in ran.error
