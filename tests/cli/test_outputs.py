"""Files that commands write: bad ones refused before the work, all tried after it, nothing lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from sys import modules
from threading import Thread

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop
from backprop.cli.progress import Lines
from backprop.networks import Network
from backprop.race.recipes import Recipe
from backprop.reporting.files import write

TRAIN = ("train", "--data", "sample", "--hidden", 5, "--batch-size", 1000, "--iterations", 6, "--seed", 3)
PLOTS = {"--plot": "curves.svg", "--plot-mistakes": "mistakes.svg", "--plot-weights": "weights.svg"}
COMMANDS = {
    "train": TRAIN,
    "check": ("check", "--layer", "ReLU"),
    "graph": ("graph", "apple", "-o", "apple.svg"),
    "info": ("info",),
    "bench": ("bench", "--quick", "--backend", "numpy"),
    "race": ("race", "--data", "sample", "--seeds", 2),
}
FULL = OSError(28, "No space left on device")


@pytest.fixture(scope="module")
def fonts():
    """matplotlib's fonts, looked for before a test's home directory hides them."""
    pytest.importorskip("matplotlib.font_manager")


@pytest.fixture
def cheap(monkeypatch, tmp_path):
    """Every command in its own folder, with as little to do as can be."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(modules["backprop.cli.bench.command"], "_measured", lambda *_: {"steps": []})
    monkeypatch.setattr(
        modules["backprop.cli.bench.chart"], "draw", lambda rows, title, file: write(file, "a chart")
    )
    recipe = Recipe(hidden=5, batch_size=1000, steps=2, learning_rate=0.1)
    monkeypatch.setattr(modules["backprop.cli.race.command"], "recipe_for", lambda *_: recipe)
    return COMMANDS


@pytest.fixture
def full_disk(monkeypatch):
    """full_disk(): from now on nothing can be written; full_disk(name): no file of that name."""
    replace = os.replace

    def now(name=""):
        def fail(source, target):
            if target.endswith(name):
                raise FULL
            replace(source, target)

        monkeypatch.setattr(os, "replace", fail)

    return now


def outcome_of(file):
    return json.loads(file.read_text())["outcome"]


def with_every_output():
    return [*(word for pair in PLOTS.items() for word in pair), "--json", "run.json"]


# ---------------------------------------------------------------------------------------- a disk that is full


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_leaves_the_old_file_and_names_option_and_file(call, cheap, full_disk, tmp_path, name):
    (tmp_path / "run.json").write_text("old")
    full_disk("run.json")
    ran = call(*cheap[name], "--json", "run.json")
    assert (ran.code, ran.error) == (3, f"backprop {name}: --json: run.json: No space left on device")
    assert (tmp_path / "run.json").read_text() == "old"
    assert {file.name for file in tmp_path.iterdir()} <= {"run.json", "apple.svg", "home"}


def test_every_output_is_tried_and_each_failure_is_a_line(fonts, call, cheap, full_disk, tmp_path):
    full_disk()
    ran = call(*TRAIN, *with_every_output())
    assert ran.code == 3
    assert sorted(ran.err.splitlines()) == sorted(
        f"backprop train: {option}: {file}: No space left on device"
        for option, file in {**PLOTS, "--json": "run.json"}.items()
    )
    assert not [file for file in tmp_path.iterdir() if file.is_file()]
    assert ran.lines[-1].startswith("accuracy "), "the run is summarized all the same"


@pytest.mark.parametrize("broken", ["curves.svg", "run.json"])
def test_one_that_fails_takes_no_other_with_it(fonts, call, cheap, full_disk, tmp_path, broken):
    full_disk(broken)
    ran = call(*TRAIN, *with_every_output())
    assert ran.code == 3 and f"{broken}: No space left" in ran.error
    assert {file.name for file in tmp_path.iterdir() if file.is_file()} == {*PLOTS.values(), "run.json"} - {
        broken
    }


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("graph", ["--json", "run.json"], "backprop graph: --output: apple.svg: No space left"),
        ("bench", ["--plot", "chart.svg", "--json", "run.json"], "bench: --plot: chart.svg: No space left"),
        ("race", ["--plot", "race.svg", "--json", "run.json"], "race: --plot: race.svg: No space left"),
    ],
)
def test_a_picture_that_fails_leaves_the_json(fonts, call, cheap, full_disk, tmp_path, name, options, words):
    full_disk(".svg")
    ran = call(*cheap[name], *options)
    assert ran.code == 3 and words in ran.error and "is drawn" not in ran.out
    assert json.loads((tmp_path / "run.json").read_text())["command"] == name


def test_settings_of_matplotlib_that_cannot_be_met_fail_each_picture_alone(fonts, call, cheap, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no LaTeX
    monkeypatch.setitem(sys.modules["matplotlib"].rcParams, "text.usetex", True)
    ran = call(*TRAIN, *with_every_output())
    assert ran.code == 3 and outcome_of(Path("run.json")) == "done"
    assert [line.split(": ")[1:4] for line in ran.err.splitlines()] == [
        [option, file, "RuntimeError"] for option, file in PLOTS.items()
    ]
    assert ran.lines[-1].startswith("accuracy ")


def test_pictures_of_numbers_without_bounds_are_drawn_without_a_word(fonts, call, cheap, tmp_path):
    large = ("--hidden", 3, "--iterations", 50, "--learning-rate", 1e20, "--seed", 0)
    ran = call(*TRAIN[:3], *large, "--plot-mistakes", "mistakes.svg")
    assert (ran.code, ran.err) == (0, "") and (tmp_path / "mistakes.svg").exists()


def test_what_a_notebook_sets_for_its_pictures_does_not_matter(fonts, call, cheap, monkeypatch, tmp_path):
    monkeypatch.setenv("MPLBACKEND", "module://no.such.module")
    assert call(*TRAIN, "--plot", "curves.svg").code == 0
    assert os.environ["MPLBACKEND"] == "agg", "which matplotlib reads as it is imported"


def test_a_matplotlib_that_refuses_its_settings_is_one_line_before_the_work(call, monkeypatch, tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ValueError('Key backend: \\'junk\\' is not valid')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(modules, name)
    ran = call(*TRAIN, "--plot", "a.png")
    assert (ran.code, ran.out) == (3, "") and "--plot: needs matplotlib" in ran.error and "junk" in ran.error


# ---------------------------------------------------------------------------------------- links, pipes, names


def test_a_dangling_link_stays_and_its_target_is_made(call, tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to("target.json")
    assert call("info", "--json", link).code == 0
    assert link.is_symlink() and json.loads((tmp_path / "target.json").read_text())["command"] == "info"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_pipe_that_nobody_reads_is_refused_and_one_that_is_read_gets_all(call, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ran = call("info", "--json", pipe)
    assert ran.code == 2 and f"{pipe}: no process reads from it" in ran.error
    got = []
    reader = Thread(target=lambda: got.append(pipe.read_text()), daemon=True)
    reader.start()
    while (ran := call("info", "--json", pipe)).code == 2:
        assert reader.is_alive()
    reader.join(timeout=20)
    assert ran.code == 0 and json.loads(got[0])["command"] == "info"


SAME = {
    "one name": (["-o", "it.svg", "--json", "it.svg"], "--output and --json must be different files"),
    "another name": (["-o", "it.svg", "--json", "./it.svg"], "--output and --json must be different files"),
    "a link": (["-o", "it.svg", "--json", "link"], "--output and --json must be different files"),
    "standard output": (["-o", "-", "--json", "/dev/stdout"], "--output and --json must be different files"),
    "an empty name": (["-o", "it.svg", "--json", ""], "--json"),
}


@pytest.mark.parametrize("case", SAME)
def test_what_would_be_overwritten_is_refused(call, cheap, tmp_path, case):
    (tmp_path / "link").symlink_to("it.svg")
    arguments, words = SAME[case]
    ran = call("graph", "apple", *arguments)
    assert (ran.code, ran.out) == (2, "") and words in ran.error
    assert not (tmp_path / "it.svg").exists()


@pytest.mark.parametrize("name", ["run.svg", ".svg", "~/run.SVG"])
def test_a_name_may_be_an_ending_alone_or_begin_in_the_home_directory(call, cheap, tmp_path, name):
    (tmp_path / "home").mkdir()
    assert call("graph", "apple", "-o", name).code == 0
    assert (tmp_path / name.replace("~", "home")).is_file()


# -------------------------------------------------------------------------------------------- standard output


@pytest.mark.parametrize("name", COMMANDS)
def test_a_dash_is_standard_output_and_text_goes_to_standard_error(call, cheap, tmp_path, name):
    ran = call(*cheap[name], "--json", "-")
    assert ran.code == 0
    assert json.loads(ran.out)["command"] == name, "nothing but JSON"
    assert ran.err, "what people read"
    assert not (tmp_path / "-").exists()
    assert call("info").out.startswith("backprop "), "the next command prints as ever"


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_a_graph_on_standard_output_is_a_picture_and_nothing_else(call, cheap, tmp_path, name):
    ran = call("graph", "apple", "-o", name)
    assert (ran.code, ran.err) == (0, "")
    assert call("graph", "apple", "-o", "apple.svg").code == 0
    assert ran.out == (tmp_path / "apple.svg").read_text(encoding="utf-8")


def test_a_file_called_dash_can_be_named(call, cheap, tmp_path):
    ran = call("info", "--json", "./-")
    assert ran.code == 0 and ran.out.startswith("backprop ")
    assert json.loads((tmp_path / "-").read_text())["command"] == "info"


def test_standard_output_that_is_a_file_gets_the_whole_json(start, tmp_path):
    with (tmp_path / "out.json").open("w") as out:
        process = start("info", "--json", "/dev/stdout", stdout=out)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err.startswith("backprop ")
    assert json.loads((tmp_path / "out.json").read_text())["command"] == "info"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "backprop info: standard output: No space left on device"),
        (["--json", "-"], "backprop info: --json: standard output: No space left on device"),
    ],
)
def test_a_standard_output_that_is_full_is_named(start, options, line):
    with open("/dev/full", "w") as full:
        process = start("info", *options, stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3 and err.splitlines()[-1] == line
    assert len(err.splitlines()) == 1 or options


def test_a_log_on_a_full_disk_costs_no_result(start, tmp_path):
    """The lines of progress go nowhere after the first; what was trained by then is kept."""
    code = (
        "import sys, backprop.cli.progress as p; from backprop.cli import run\n"
        "def full(*_): sys.stdout = open('/dev/full', 'w'); p.click.echo('line')\n"
        "p.Lines.__call__ = full\n"
        "sys.exit(run(sys.argv[1:]))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, *map(str, TRAIN), "--json", tmp_path / "run.json"],
        cwd=os.path.dirname(os.path.dirname(backprop.__file__)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 3
    assert process.stderr == "backprop train: standard output: No space left on device\n"
    assert outcome_of(tmp_path / "run.json") == "interrupted"


# ----------------------------------------------------------------------------- a training run that ends early


@pytest.fixture
def interrupted(monkeypatch):
    """interrupted(n): Ctrl-C as iteration n is shown."""
    shown = Lines.__call__

    def at(iteration):
        def look(self, history):
            shown(self, history)
            if len(history.loss) >= iteration:
                raise KeyboardInterrupt

        monkeypatch.setattr(Lines, "__call__", look)

    return at


@pytest.mark.parametrize("iteration", [0, 4])
def test_an_interrupted_training_writes_what_is_done(fonts, call, cheap, interrupted, tmp_path, iteration):
    interrupted(iteration)
    ran = call(*TRAIN, *with_every_output())
    assert (ran.code, ran.err.strip()) == (130, "backprop train: interrupted")
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["outcome"] == "interrupted"
    assert document["settings"]["iterations"] == 6 and len(document["history"]["loss"]) == iteration
    assert document["history"]["iterations"] == [0, 4][: 1 + iteration // 4]
    assert f"after {iteration} iterations" in (tmp_path / "curves.svg").read_text()
    assert all((tmp_path / file).exists() for file in PLOTS.values())
    assert ran.lines[-1].startswith("accuracy ")


def test_half_an_evaluation_is_left_out(fonts, call, cheap, monkeypatch, tmp_path):
    measure = Network.measured
    calls = []

    def stop(self, *arguments, **options):
        calls.append(0)
        if len(calls) == 2:  # the test set, the second time
            raise KeyboardInterrupt
        return measure(self, *arguments, **options)

    monkeypatch.setattr(Network, "measured", stop)
    assert call(*TRAIN, *with_every_output()).code == 130
    history = json.loads((tmp_path / "run.json").read_text())["history"]
    assert history["iterations"] == [0] and len(history["loss"]) == 4
    assert len(history["train_accuracy"]) == len(history["test_accuracy"]) == len(history["test_loss"]) == 1


def test_what_is_interrupted_before_the_training_writes_nothing(call, cheap, monkeypatch, tmp_path):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(backprop, "train", stop)
    (tmp_path / "run.json").write_text("old")
    assert call(*TRAIN, "--json", "run.json").code == 130
    assert (tmp_path / "run.json").read_text() == "old"


def test_an_interruption_on_a_full_disk_is_both(call, cheap, interrupted, full_disk):
    interrupted(4)
    full_disk("run.json")
    ran = call(*TRAIN, "--json", "run.json")
    lines = [line for line in ran.err.splitlines() if line]
    assert (ran.code, len(lines)) == (130, 2)
    assert lines[0] == "backprop train: --json: run.json: No space left on device"


@pytest.mark.parametrize(("full", "code"), [(False, 1), (True, 3)])
def test_a_diverged_training_says_so_in_its_json(call, cheap, full_disk, tmp_path, full, code):
    if full:
        full_disk("run.json")
    ran = call(*TRAIN, "--learning-rate", 1e30, "--json", "run.json")
    assert ran.code == code and "training diverged" in ran.err
    assert full or outcome_of(tmp_path / "run.json") == "diverged"


def test_one_that_went_well_says_so_too(call, cheap, tmp_path):
    assert call(*TRAIN, "--json", "run.json").code == 0
    assert outcome_of(tmp_path / "run.json") == "done"
