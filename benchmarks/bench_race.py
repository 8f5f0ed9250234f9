"""The race of all libraries: racers that train otherwise are refused, and the targets are judged.

`python -m benchmarks.race` measures it.
"""

import json
import subprocess
import sys

import numpy as np
import pytest

from backprop.race.recipes import Recipe
from benchmarks.peers.data import Data
from benchmarks.peers.job import CHECKOUT
from benchmarks.peers.one_thread import one_thread
from benchmarks.peers.registry import installed, why_missing
from benchmarks.race import report
from benchmarks.race.agreement import STEPS, require_same_accuracy
from benchmarks.race.book_loop import TheBook
from benchmarks.race.command import prepare, run
from benchmarks.race.course import Course, reference
from benchmarks.race.ours import Ours
from benchmarks.race.racer import Finish
from benchmarks.race.registry import RACERS

RECIPE = Recipe(50, 100, steps=40, learning_rate=0.08, weight_decay=1e-3, label_smoothing=0.03)


@pytest.fixture(scope="module")
def pixels():
    rng = np.random.default_rng(0)
    images = np.maximum(rng.random((2500, 784), dtype=np.float32) - 0.8, 0) * 5
    labels = rng.integers(10, size=2500)
    with one_thread():
        yield Data(images[:2000], labels[:2000], images[2000:], labels[2000:], "random")


class Late(Ours):
    """A racer whose rates come one step late."""

    def build(self):
        super().build()
        factors = self.race.rates.factors
        factors[1:] = factors[:-1]


class Slack(Ours):
    """A racer that forgets its last bias."""

    def weights(self):
        weights = super().weights()
        return weights | {"b2": np.zeros_like(weights["b2"])}


class Heavy(Ours):
    """A racer whose velocity is that of the seed before."""

    def build(self):
        super().build()
        self.race.trainer.optimizer.reset = lambda: None


@pytest.mark.parametrize("name", RACERS)
def test_a_racer_takes_the_steps_of_the_formulas(name, pixels):
    if reason := why_missing(RACERS[name]):
        pytest.skip(reason)
    (racer,) = prepare(RECIPE, pixels, {name: RACERS[name]}).values()
    first, other, again = racer.run(3), racer.run(4), racer.run(3)
    assert first.steps == 40 and first.seconds > 0
    assert first.accuracy == again.accuracy and 0 < other.accuracy < 1  # nothing is left of another seed


@pytest.mark.parametrize(("racer", "words"), [(Late, "W1"), (Slack, "b2"), (Heavy, "W1")])
def test_a_racer_that_trains_otherwise_is_refused(racer, words, pixels):
    with pytest.raises(AssertionError, match=f"ours: {words} after {STEPS} steps"):
        prepare(RECIPE, pixels, {"another": racer})


def test_both_rules_of_momentum_are_the_same_while_the_rate_stays(pixels):
    course = Course.of(RECIPE, pixels)
    weights, rng = course.start(0)
    given = weights, *course.data[:2], course.batches(rng, 10), [0.05] * 10, RECIPE
    inside, outside = (reference(*given, rule) for rule in (False, True))
    for name in weights:
        np.testing.assert_allclose(inside[name], outside[name], rtol=0, atol=1e-13)


def made_up(**means):
    return {
        name: [Finish(i, 1200, 0.3, mean + d) for i, d in enumerate((-1e-3, 1e-3))]
        for name, mean in means.items()
    }


def test_accuracies_must_agree_and_that_of_the_book_with_the_target():
    require_same_accuracy(made_up(ours=0.972, other=0.973, book=0.9695), "ours", "book", 97)
    with pytest.raises(AssertionError, match="other: mean accuracy 0.9690, not 0.9720"):
        require_same_accuracy(made_up(ours=0.972, other=0.969), "ours", "book", 97)
    with pytest.raises(AssertionError, match="book: mean accuracy 0.9740, not 0.9700"):
        require_same_accuracy(made_up(ours=0.972, book=0.974), "ours", "book", 97)


def finishes(ours, accuracy=0.9705):
    seconds = {report.OURS: ours, report.EAGER: 1.0, report.BOOK: 10.0}
    return {name: [Finish(i, 1200, s, accuracy) for i in range(3)] for name, s in seconds.items()}


def verdicts(target, runs, step=250e-6):
    lines = report.lines(target, runs, report.times_of(runs, [step] * 3))
    return [line.verdict for line in lines]


def test_the_targets():
    assert verdicts(97, finishes(0.29)) == ["met"] * 4
    assert verdicts(97, finishes(0.35)) == ["met", "MISSED", "MISSED", "met"]
    assert verdicts(97, finishes(0.45, 0.9695)) == ["MISSED"] * 4
    assert verdicts(98, finishes(0.45, 0.98)) == ["met", "met"]
    alone = {report.OURS: finishes(0.2)[report.OURS]}
    assert verdicts(97, alone) == ["met", "met"]  # what was not measured has no line
    times = report.times_of(alone, [250e-6] * 3)
    assert report.rows(alone, times)[0] == (
        "ours",
        "1,200",
        *["0.200"] * 3,
        "167",
        "-",
        "-",
        "97.05",
        "0.00",
        "97.05",
    )


def test_all_run_once_for_each_seed(pixels):
    runs, steps = run(prepare(RECIPE, pixels, installed(RACERS)), pixels, seeds=2, book_steps=20)
    assert list(runs) == [*installed(RACERS), TheBook.name] and len(steps) == 2
    assert {tuple(each.seed for each in every) for every in runs.values()} == {(0, 1)}
    means = {name: np.mean([each.accuracy for each in every]) for name, every in runs.items()}
    assert max(means.values()) < 0.5


@pytest.mark.slow
def test_the_command(tmp_path):
    file = tmp_path / "race.json"
    command = [sys.executable, "-m", "benchmarks.race", "--to=98", "--seeds=1", f"--json={file}"]
    printed = subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "The race to 98 %" in printed and "Wanted" in printed
    written = json.loads(file.read_text())
    assert written["recipe"]["hidden"] > 50 and len(written["seconds"]["ours"]) == 1
