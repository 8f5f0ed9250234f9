"""`backprop race`: what it prints and writes, the verdict, and what ends it early."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from sys import modules

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop
from backends.testing import backend_or_skip
from backprop.cli.race import report
from backprop.cli.race.result import Result
from backprop.data.known import MNIST
from backprop.race.recipes import Recipe
from backprop.race.runs import Finish, Race
from backprop.training import Diverged, History

SMALL = Recipe(8, 20, steps=30, learning_rate=0.1, first="he", weight_decay=0.01, label_smoothing=0.1)


def write_digits(folder, shuffled):
    """Write MNIST's four files: 200 training and 100 test images, a bright column in each.

    shuffled: labels that have nothing to do with the images.
    """
    rng = np.random.default_rng(0)
    folder.mkdir()
    for part, count in (("train", 200), ("t10k", 100)):
        labels = rng.permutation(np.arange(count, dtype=np.uint8) % 10)
        images = rng.integers(0, 100, (count, 28, 28), dtype=np.uint8)
        images[np.arange(count), :, 2 * labels] = 255
        if shuffled:
            rng.shuffle(labels)
        for name, values, kind in (("images-idx3", images, 3), ("labels-idx1", labels, 1)):
            head = bytes((0, 0, 8, kind)) + np.array(values.shape, ">u4").tobytes()
            (folder / f"{part}-{name}-ubyte").write_bytes(head + values.tobytes())
    return folder


@pytest.fixture
def small(monkeypatch):
    """A race that takes a moment."""
    monkeypatch.setattr(modules["backprop.cli.race.command"], "recipe_for", lambda target, on_host: SMALL)


@pytest.fixture(params=[False])
def digits(request, small, monkeypatch, tmp_path):
    """The arguments of a race on images that are taken for MNIST."""
    monkeypatch.setattr("backprop.data.reading.known_set", lambda files: MNIST)
    return "race", "--data-dir", write_digits(tmp_path / "digits", request.param)


meaningless = pytest.mark.parametrize("digits", [True], indirect=True)


@pytest.fixture
def ending(monkeypatch):
    """ending(error, after): the run after so many seeds, the warm-up not counted, raises this error."""
    run = Race.run

    def arrange(error, after):
        def once(self, seed, steps=None):
            if steps is None and seed == 5 + after:
                raise error
            return run(self, seed, steps)

        monkeypatch.setattr(Race, "run", once)

    return arrange


def written(file):
    return json.loads(file.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.fixture(scope="module")
def fonts():
    """matplotlib's fonts, looked for before a test's home directory hides them."""
    pytest.importorskip("matplotlib.font_manager")


# ------------------------------------------------------------------------------------------------ the verdict


def result_of(accuracies, **options):
    finishes = [Finish(seed, 30, 0.5 + seed, each, 0.1) for seed, each in enumerate(accuracies)]
    given = {"target": 97, "seeds": range(len(finishes)), "outcome": "done", "is_mnist": True, **options}
    return Result(finishes=finishes, **given)


@pytest.mark.parametrize(
    ("accuracies", "reached"),
    [
        ([0.97] * 20, True),
        ([0.9701, 0.9699] * 10, True),
        ([0.9701, 0.9698], False),
        ([0.97] * 199 + [0.9699], False),
        ([1.0], True),
    ],
)
def test_the_mean_decides(accuracies, reached):
    result = result_of(accuracies)
    assert result.is_reached is reached and result.to_dict()["target_reached"] is reached


@pytest.mark.parametrize(
    ("accuracies", "text"),
    [([0.97] * 20, "97.00 %"), ([0.97] * 9 + [0.9699], "96.999 %"), ([0.96] * 3, "96.00 %")],
)
def test_a_mean_that_misses_is_not_shown_as_the_target(accuracies, text):
    result = result_of(accuracies)
    assert result.mean_in_percent == text and f": mean {text} of " in report.verdict(result)


@pytest.mark.parametrize(
    "options", [{"is_mnist": False}, {"outcome": "interrupted"}, {"outcome": "diverged"}]
)
def test_there_is_no_verdict_on_other_data_or_a_part(options):
    assert result_of([1.0], **options).is_reached is None


def test_the_statistics():
    found = result_of([0.96, 0.98, 0.97]).to_dict()
    assert found["mean_accuracy"] == pytest.approx(0.97) and found["least_accuracy"] == 0.96
    assert found["accuracy_deviation"] == pytest.approx(0.01)
    assert found["median_seconds"] == 1.5 and found["seconds"] == [0.5, 1.5, 2.5]
    assert result_of([0.96]).to_dict()["accuracy_deviation"] is None


# -------------------------------------------------------------------------------- what is printed and written


def test_a_line_for_each_seed(call, digits):
    ran = call(*digits, "--seeds", 3, "--seed", 5)
    assert (ran.code, ran.err) == (0, "")
    number = r"[\d.]+(?:e-\d+)?"
    expected = [
        r"backend: numpy on cpu, the default",
        r"data: MNIST in .*digits: 200 training and 100 test images",
        r"recipe: 784-8-10, 30 steps of 20 images, learning rate up to 0\.1",
        rf"before: loading {number} s, warm-up {number} s",
        r"seed  steps  seconds  accuracy",
        *(rf"   {seed}     30 +{number} +{number} %" for seed in (5, 6, 7)),
        rf"accuracy: mean {number} %, standard deviation {number}, least {number} %",
        rf"seconds: median {number}( on 1 BLAS thread)?; the evaluation after it takes {number}",
        rf"target 97 % reached: mean {number} % of 3 seeds from 5, median {number} s",
    ]
    assert len(ran.lines) == len(expected)
    for line, pattern in zip(ran.lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line
    assert max(len(line) for line in ran.lines if not line.startswith("data: ")) <= 80


@meaningless
def test_a_missed_target_exits_with_1(call, digits):
    ran = call(*digits, "--seeds", 2, "--seed", 5)
    assert (ran.code, ran.err) == (1, "")
    assert ran.lines[-1].startswith("target 97 % missed: mean ")


def test_the_json_has_a_list_for_each_number(call, digits, tmp_path):
    ran = call(*digits, "--to", "98", "--seeds", 3, "--seed", 5, "--json", tmp_path / "race.json")
    assert ran.code == 0
    document = written(tmp_path / "race.json")
    assert (document["command"], document["outcome"]) == ("race", "done")
    assert document["settings"] == {
        "to": 98,
        "seeds": 3,
        "seed": 5,
        "data": "mnist",
        "data_dir": str(digits[-1]),
    }
    assert document["recipe"] == dataclasses.asdict(SMALL)
    assert (document["target"], document["target_reached"]) == (0.98, True)
    assert document["seed"] == [5, 6, 7] and document["steps"] == [30] * 3
    assert all(each > 0 for each in document["seconds"] + document["evaluation_seconds"])
    assert len(document["accuracy"]) == 3 and all(0.98 < each <= 1 for each in document["accuracy"])
    assert document["loading_seconds"] > 0 and document["warmup_seconds"] > 0
    assert document["loop"] == "eager: numpy has no CUDA graphs" and document["blas_threads"] in (1, None)
    assert set(document["versions"]) == {"backprop", "python", "numpy"}


def test_a_fresh_seed_is_shown_and_repeats_the_race(call, digits, tmp_path):
    def accuracies(*options):
        ran = call(*digits, "--seeds", 2, "--json", tmp_path / "race.json", *options)
        return ran, written(tmp_path / "race.json")

    ran, document = accuracies("-q")
    first = document["settings"]["seed"]
    assert f" of 2 seeds from {first}, " in ran.out
    _, again = accuracies("--seed", first)
    assert again["accuracy"] == document["accuracy"]
    assert accuracies()[1]["settings"]["seed"] != first


def test_quiet_prints_the_last_line_alone(call, digits):
    for short in ("--quiet", "-q"):
        ran = call(*digits, "--seeds", 1, "--seed", 5, short)
        assert (ran.code, len(ran.lines)) == (0, 1)
        assert re.fullmatch(r"target 97 % reached: mean .* % of 1 seed from 5, median .* s", ran.lines[0])


def test_large_seeds_keep_the_columns_below_their_heads(call, digits):
    ran = call(*digits, "--seeds", 2, "--seed", 2**32 - 1)
    at = ran.lines.index("      seed  steps  seconds  accuracy")
    assert [line.split()[0] for line in ran.lines[at + 1 : at + 3]] == [str(2**32 - 1), str(2**32)]
    assert len({len(line) for line in ran.lines[at : at + 3]}) == 1


def test_the_picture_has_a_point_for_each_seed_the_mean_and_the_target(fonts, call, digits, tmp_path):
    file = tmp_path / "race.svg"
    ran = call(*digits, "--seeds", 3, "--seed", 5, "--plot", file)
    assert (ran.code, ran.err) == (0, "")
    drawn = file.read_text(encoding="utf-8")
    assert "784-8-10 after 30 steps on 200 images of MNIST" in drawn and "numpy, 3 seeds from 5" in drawn
    assert "target 97 %" in drawn and re.search(r"mean [\d.]+ %", drawn) and "median " in drawn
    points = drawn.partition('id="PathCollection_1"')[2].partition("</g>\n   <g")[0]
    assert points.count("<use ") == 3


# ------------------------------------------------------------------------------------------------- other data


@pytest.mark.parametrize(
    ("options", "origin"),
    [
        (("--data", "sample"), "--data sample"),
        (("--data-dir", "digits"), "--data-dir"),
        ((), "BACKPROP_DATA_DIR"),
    ],
)
def test_other_data_are_a_trial_without_a_verdict(fonts, call, small, monkeypatch, tmp_path, options, origin):
    write_digits(tmp_path / "digits", shuffled=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKPROP_DATA_DIR", "digits")
    ran = call("race", *options, "--seeds", 1, "--json", "race.json", "--plot", "race.svg")
    assert (ran.code, ran.err) == (0, "")
    assert f"a trial without a verdict, which needs MNIST: omit {origin} to train on it" in ran.lines
    assert ran.lines[-1].startswith("no verdict without MNIST: mean ")
    assert written(tmp_path / "race.json")["target_reached"] is None
    assert "target" not in (tmp_path / "race.svg").read_text(encoding="utf-8")


def test_without_mnist_it_says_how_to_get_it(call, small):
    ran = call("race")
    assert ran.code == 3 and ran.error.startswith("backprop race: MNIST could not be downloaded to ")
    assert ran.error.endswith("; connect to the network, set BACKPROP_DATA_DIR, or use --data sample")


def test_too_few_images_for_a_batch_are_refused(call, mnist):
    ran = call("race", "--data-dir", mnist)
    assert ran.code == 2 and ran.error == (
        "backprop race: --data-dir: a batch needs 72 training images, got 6; omit it to download MNIST"
    )


# ------------------------------------------------------------------------------------- a race that ends early


@pytest.mark.parametrize("done", [0, 2])
def test_an_interrupted_race_writes_the_seeds_that_are_done(fonts, call, digits, ending, tmp_path, done):
    ending(KeyboardInterrupt(), after=done)
    files = tmp_path / "race.json", tmp_path / "race.svg"
    ran = call(*digits, "--seeds", 4, "--seed", 5, "--json", files[0], "--plot", files[1])
    assert (ran.code, ran.error) == (130, "backprop race: interrupted")
    assert all(file.exists() == bool(done) for file in files)
    if done:
        document = written(files[0])
        assert (document["outcome"], document["target_reached"]) == ("interrupted", None)
        assert document["seed"] == [5, 6] and len(document["accuracy"]) == 2
        assert ran.lines[-1].startswith("no verdict: mean ") and " of 2 of 4 seeds from 5, " in ran.lines[-1]


def test_a_run_that_diverges_ends_the_race_and_the_others_are_written(call, digits, ending, tmp_path):
    ending(Diverged("train: training diverged: because", History()), after=1)
    ran = call(*digits, "--seeds", 3, "--seed", 5, "--json", tmp_path / "race.json")
    assert (ran.code, ran.error) == (1, "backprop race: training diverged: because")
    document = written(tmp_path / "race.json")
    assert (document["outcome"], document["seed"]) == ("diverged", [5])
    ending(Diverged("train: training diverged: because", History()), after=0)
    ran = call(*digits, "--seeds", 3, "--seed", 5)
    assert (ran.code, ran.error) == (1, "backprop race: training diverged: because")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_log_on_a_full_disk_costs_no_result(tmp_path):
    code = (
        "import sys; from backprop.cli import run\n"
        "command, report = (sys.modules[f'backprop.cli.race.{each}'] for each in ('command', 'report'))\n"
        "recipe = command.Recipe(8, 20, 5, 0.1)\n"
        "command.recipe_for = lambda *_: recipe\n"
        "def row(*_): sys.stdout = open('/dev/full', 'w'); return 'line'\n"
        "report.row = row\n"
        "sys.exit(run(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", code, "race", "--data", "sample", "--json", tmp_path / "race.json"]
    root = os.path.dirname(os.path.dirname(backprop.__file__))
    ran = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 3
    assert ran.stderr == "backprop race: standard output: No space left on device\n"
    assert written(tmp_path / "race.json")["outcome"] == "interrupted"


def test_a_device_has_the_recipe_for_a_device_and_no_blas(call, digits, monkeypatch, tmp_path):
    backend_or_skip("array_api_strict")
    asked = []

    def recipe(target, on_host):
        asked.append((target, on_host))
        return SMALL

    monkeypatch.setattr(modules["backprop.cli.race.command"], "recipe_for", recipe)
    monkeypatch.setenv("BACKPROP_BACKEND", "array_api_strict")
    ran = call(*digits, "--seeds", 1, "--seed", 5, "--json", tmp_path / "race.json")
    assert ran.code == 0 and asked == [(97, False)]
    assert written(tmp_path / "race.json")["blas_threads"] is None and "BLAS" not in ran.out
