"""Convolution beside PyTorch and the book's loop: the steps of both networks, and their stages.

PyTorch is skipped if it is not installed. `python -m benchmarks.convolution` measures longer, with one thread
or two, and the memory as well.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backprop.layers import Conv2D, MaxPool2D
from backprop.reporting.timing import Times
from benchmarks import book
from benchmarks.convolution import book_layers, memory, report, stages, steps
from benchmarks.convolution.agreement import agreement
from benchmarks.convolution.book_loop import layer_like
from benchmarks.convolution.conv_stage import conv_stages
from benchmarks.convolution.data import load
from benchmarks.convolution.models import MODELS
from benchmarks.convolution.ours import Ours
from benchmarks.convolution.pytorch import Eager
from benchmarks.convolution.registry import RACERS
from benchmarks.convolution.threads import limited_to, threads_asked_for
from benchmarks.peers.job import CHECKOUT
from benchmarks.peers.registry import installed, why_missing

WITH_TORCH = why_missing(Eager) is None
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(scope="module")
def images():
    with limited_to(1):
        yield load()


class Fast(Ours):
    """A racer that learns slightly faster than it should."""

    def step(self, batches):
        losses = super().step(batches)
        self.net.params["W1"] *= 1.001
        return losses


# ------------------------------------------------------------------------------------ what is compared agrees


@each_model
@pytest.mark.parametrize("name", RACERS)
def test_a_racer_computes_what_the_book_computes(name, model, images):
    if reason := why_missing(RACERS[name]):
        pytest.skip(reason)
    differences = agreement(model, images, {name: RACERS[name]}, batch_size=10)
    wanted = {"the book's loop": [], "the book's loop, float32": ["float32"]}
    assert [each.dtype for each in differences] == wanted.get(name, ["float64", "float32"])


def test_a_racer_that_computes_something_else_is_refused(images):
    with pytest.raises(AssertionError, match="ours, float64: gradients off by"):
        agreement(MODELS["simple"], images, {"fast": Fast}, batch_size=10)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2)])
def test_the_books_layers_have_the_gradients_of_the_library(stride, padding):
    rng = np.random.default_rng(0)
    x, W, b = (rng.standard_normal(shape) for shape in ((2, 3, 9, 8), (4, 3, 3, 2), (4,)))
    pool = MaxPool2D(3, stride)
    for layer, theirs in (
        (Conv2D(W, b, stride=stride, padding=padding), book_layers.Convolution(W, b, stride, padding)),
        (pool, layer_like(pool, [])),
    ):
        out = layer.forward(x)
        np.testing.assert_allclose(theirs.forward(x), out, rtol=0, atol=1e-13)
        dout = rng.standard_normal(out.shape)
        np.testing.assert_allclose(theirs.backward(dout), layer.backward(dout), rtol=0, atol=1e-13)
        for name, gradient in layer.grads.items():
            np.testing.assert_allclose(getattr(theirs, f"d{name}"), gradient, rtol=0, atol=1e-12)


def by_the_book(stage):
    """Return the results of a stage by the book's layers."""
    layers = [layer_like(layer, [*layer.params.values()]) for layer in stage.layers]
    out = stage.x
    for layer in layers:
        out = layer.forward(out)
    dout = np.array(stage.dout)  # the book's Relu writes into it
    for layer in reversed(layers):
        dout = layer.backward(dout)
    return stage.named(out, [*([dout] if stage.needs_dx else []), layers[0].dW, layers[0].db])


@each_model
def test_stages_compute_what_the_book_computes(model, images):
    found = conv_stages(model, images, batch_size=10)
    assert [stage.name for stage in found][:2] == {
        "SimpleConvNet": ["1 → 30, 5 × 5, image 28 × 28, pool"],
        "DeepConvNet": ["1 → 16, 3 × 3, image 28 × 28", "16 → 16, 3 × 3, image 28 × 28, pool"],
    }[model.name]
    assert len(found) == {"SimpleConvNet": 1, "DeepConvNet": 6}[model.name]
    for stage in found:
        ours = stage.ours()
        theirs = ours._replace(results=lambda stage=stage: by_the_book(stage))
        stages.require_same(stage.name, ours, theirs)


def test_a_stage_that_computes_something_else_is_refused(images):
    (stage,) = conv_stages(MODELS["simple"], images, batch_size=10)
    ours = stage.ours()
    wrong = ours._replace(results=lambda: {**by_the_book(stage), "db": ours.results()["db"] * 1.01})
    with pytest.raises(AssertionError, match="wrong: db off by"):
        stages.require_same("wrong", wrong, ours)


def test_the_book_and_this_library_find_the_same_relu():
    assert type(layer_like(MODELS["simple"].layers(0.5)[1], [])) is book.Relu


# ------------------------------------------------------------------------------------------------- arithmetic

TIMES = Times(
    {
        report.OURS: [0.010, 0.012, 0.020],
        report.EAGER: [0.040, 0.030, 0.040],
        report.CHANNELS_LAST: [0.020, 0.024, 0.020],
    }
)


def test_a_row_has_median_minimum_and_the_medians_of_ratios():
    ours, eager, _ = report.step_rows(TIMES)
    assert ours == ("ours", "12.00", "10.00", "0.40", "0.50", "-")
    assert eager == ("PyTorch eager", "40.00", "30.00", "1.00", "2.00", "-")


def test_targets_are_judged_by_model_and_threads():
    def judged(model, threads):
        first, second = report.step_lines(model, threads, TIMES)
        assert second.wanted == "-" and second.verdict == "" and second.measured == 0.5
        return first.what, first.wanted, f"{first.measured:.2f}", first.verdict

    what = "a step of SimpleConvNet, 1 thread: ours / PyTorch eager"
    assert judged("SimpleConvNet", 1) == (what, "at most 0.42", "0.40", "met")
    slower = Times({**TIMES.seconds, report.OURS: [0.050, 0.040, 0.050]})
    assert report.step_lines("DeepConvNet", 2, slower)[0].verdict == "MISSED"
    assert report.step_lines("DeepConvNet", 2, Times({report.OURS: [0.01]})) == []


def test_rows_of_stages_and_of_memory():
    seconds = {
        f"{name}, {passes}": values
        for name, values in TIMES.seconds.items()
        for passes in (stages.FORWARD, stages.BOTH)
    }
    forward, both = report.stage_rows("a stage", Times(seconds))
    assert forward == ("a stage: forward", "12.00", "10.00", "40.00", "30.00", "20.00", "0.40", "0.50")
    assert both[0] == "a stage: forward + backward" and both[1:] == forward[1:]
    grown = {report.OURS: [30.0, 10.0, 20.0], report.EAGER: [40.0, 40.0, 20.0]}
    assert report.memory_rows(grown)[0] == ("ours", "20.0", "10.0", "30.0", "0.75")
    (line,) = report.memory_lines("DeepConvNet", 1, grown)
    assert line.measured == 0.75 and line.verdict == "met"


def test_a_table_in_markdown():
    assert report.markdown(("", "b"), [("x", 1), ("y", "")]) == "| | b |\n|---|---|\n| x | 1 |\n| y | |"


@pytest.mark.parametrize(
    ("arguments", "threads"),
    [([], 1), (["--threads", "2"], 2), (["--memory", "--threads=2"], 2), (["--threads=9"], 1)],
)
def test_the_threads_are_known_before_numpy_is_imported(arguments, threads):
    assert threads_asked_for(arguments) == threads


def test_the_readme_states_the_targets():
    text = (CHECKOUT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for model, threads in report.STEP_TARGETS:
        rounds = {report.OURS: [1.0], report.EAGER: [1.0]}
        (line,) = report.step_lines(model, threads, Times(rounds))
        assert f"| {line.what} | {line.wanted} |" in text
        (line,) = report.memory_lines(model, threads, rounds)
        assert f"| {line.what} | {line.wanted} |" in text


@pytest.mark.skipif(memory.why_not() is not None, reason="reads /proc")
def test_the_memory_of_training():
    (grown,) = memory.run_all([Ours.name], "simple", threads=1, rounds=1, steps=1).values()
    assert 5 < grown[0] < 500  # the convolution's output takes 7 MiB before it is pooled


@pytest.mark.slow
def test_the_command(tmp_path):
    file = tmp_path / "convolution.json"
    options = ["--model=simple", "--step", "--stages", "--rounds=1", "--block=0.001", "--markdown"]
    command = [sys.executable, "-m", "benchmarks.convolution", *options, "--threads=2", f"--json={file}"]
    printed = subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "SimpleConvNet, the training step" in printed and "its convolutions" in printed
    written = json.loads(Path(file).read_text())
    assert written["step"]["SimpleConvNet"].keys() == installed(RACERS).keys()
    assert 2 in written["threads"].values()


# -------------------------------------------------------------------------------------------------- the times


@pytest.mark.benchmark(group="a step of a convolutional network, all in turns")
@each_model
def test_step(model, works_in_turns, closing_table, images):
    agreement(model, images, installed(RACERS), batch_size=10)
    times = works_in_turns(steps.works(model, images, installed(RACERS)), rounds=3, block=0.1)
    if times:
        closing_table(f"a step of {model.name}, medians", report.STEP_HEADER, report.step_rows(times))


@pytest.mark.benchmark(group="the convolutions of a network, in turns")
@each_model
def test_stages(model, works_in_turns, closing_table, images):
    found = conv_stages(model, images)
    works = {
        (stage.name, what): work for stage in found for what, work in stages.works(stage, WITH_TORCH).items()
    }
    times = works_in_turns({": ".join(key): work for key, work in works.items()}, rounds=5, block=0.02)
    for stage in found if times else ():
        own = {what: times.seconds[f"{name}: {what}"] for name, what in works if name == stage.name}
        rows = report.stage_rows(stage.name, Times(own))
        closing_table(f"convolutions of {model.name}, medians", report.STAGE_HEADER, rows)
