"""`backprop train --plot`, `--plot-mistakes` and `--plot-weights`: what is drawn and what is refused."""

import json
import sys

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

SHORT = ("train", "--data", "sample", "--hidden", 5, "--batch-size", 1000, "--iterations", 6, "--seed", 3)
OPTIONS = ("--plot", "--plot-mistakes", "--plot-weights")


@pytest.fixture(scope="module")
def fonts():
    """matplotlib's fonts, looked for before a test's home directory hides them."""
    pytest.importorskip("matplotlib.font_manager")


def test_three_pictures_of_one_run(fonts, call, tmp_path):
    files = [tmp_path / name for name in ("curves.svg", "mistakes.svg", "weights.svg")]
    named = [word for pair in zip(OPTIONS, files, strict=True) for word in pair]
    ran = call(*SHORT, *named, "--json", tmp_path / "run.json")
    assert (ran.code, ran.err) == (0, "")
    curves, mistakes, weights = (file.read_text(encoding="utf-8") for file in files)
    assert all(
        "784-5-10 after 6 iterations on 4,000 images of MNIST" in text for text in (curves, mistakes, weights)
    )
    assert "learning rate 0.1, batches of 1,000, float32, seed 3" in curves
    accuracy = json.loads((tmp_path / "run.json").read_text())["history"]["test_accuracy"][-1]
    assert f">{accuracy:.4f}</" in curves
    assert f"{round(1000 * (1 - accuracy)):,} of 1,000 images misread" in mistakes
    assert "weights W1 of 5 hidden units" in weights


def test_a_diverged_run_is_drawn(fonts, call, tmp_path):
    files = [tmp_path / name for name in ("curves.png", "mistakes.png", "weights.png")]
    named = [word for pair in zip(OPTIONS, files, strict=True) for word in pair]
    ran = call(*SHORT, "--learning-rate", 1e30, *named)
    assert ran.code == 1 and "diverged" in ran.error
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


@pytest.fixture
def nothing_trained(monkeypatch):
    monkeypatch.setattr("backprop.train", lambda *a, **o: pytest.fail("it trains"))


WRONG = {
    "no picture": (["--plot", "run.gif"], ".pdf, .png, .svg"),
    "no suffix": (["--plot-mistakes", "png"], ".pdf, .png, .svg"),
    "no such folder": (["--plot-weights", "no/such/w.png"], "No such file or directory"),
    "a folder": (["--plot", "folder.png"], "Is a directory"),
    "standard output": (["--plot", "-"], ".pdf, .png, .svg"),
    "one file for two pictures": (
        ["--plot", "it.png", "--plot-weights", "./it.png"],
        "--plot and --plot-weights",
    ),
    "one file for picture and JSON": (
        ["--plot", "it.png", "--json", "it.png"],
        "--plot and --json must be different",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_refused_before_training(call, nothing_trained, monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    arguments, words = WRONG[name]
    ran = call(*SHORT, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("backprop train: ") and words in ran.error
    cannot_help = "o such file" in ran.error or "Is a directory" in ran.error
    assert ran.error.endswith("(see backprop train --help)") != cannot_help
    assert list(tmp_path.iterdir()) == [tmp_path / "folder.png"]


@pytest.mark.parametrize("options", [OPTIONS[:1], OPTIONS[1:]])
def test_missing_matplotlib_is_told_of_before_training(call, nothing_trained, monkeypatch, tmp_path, options):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    named = [word for i, option in enumerate(options) for word in (option, tmp_path / f"{i}.png")]
    ran = call(*SHORT, *named)
    assert (ran.code, ran.out) == (3, "")
    assert ran.error.startswith(f"backprop train: {', '.join(options)}: needs matplotlib (")
    assert ran.error.endswith("): pip install matplotlib")
    assert list(tmp_path.iterdir()) == []


def test_without_pictures_matplotlib_is_not_needed(call_outside):
    ran = call_outside(*SHORT)
    assert ran.code == 0


def test_the_help_fits_a_terminal(call):
    ran = call("train", "--help")
    assert max(map(len, ran.lines)) <= 80 and all(option in ran.out for option in OPTIONS)
