"""`backprop bench`: its tables say what its JSON says, and every figure follows from the measured seconds."""

import json
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, replace
from importlib import import_module
from io import StringIO
from itertools import takewhile
from statistics import median

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop
from backends import Backend, load, register, registry
from backends.numpy import threads
from backprop.cli import blas, progress, run
from backprop.cli.bench import gradients, report, training
from backprop.cli.bench.chart import draw
from backprop.cli.bench.plan import FULL, QUICK, Disagreement, Plan
from backprop.cli.bench.training import random_data, steps

bench = import_module("backprop.cli.bench.command")
PLAN = replace(QUICK, networks=((6, 4, 3),))
TINY = Plan(((4, 3, 2),), (2, 4), (3, 6), samples=9, square=8, iterations=2, rounds=1, block=1e-4)
QUICKLY = ("bench", "--quick", "--backend", "numpy")


@pytest.fixture(scope="module")
def two_backends():
    """A machine with NumPy and a second library."""
    strict = pytest.importorskip("array_api_strict")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_loaded", {"numpy": load("numpy")})
        patch.setattr(registry, "_by_type", dict(registry._by_type))
        patch.setitem(sys.modules, "cupy", None)
        yield [load("numpy"), register(Backend("strict", strict))]


@pytest.fixture(scope="module")
def measured(two_backends, tmp_path_factory):
    """The output of a run with both backends, and its JSON."""
    file, out, err = tmp_path_factory.mktemp("bench") / "bench.json", StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(bench, "QUICK", PLAN)
        assert run(["bench", "--quick", "--seed", "3", "--json", str(file)]) == 0
    assert err.getvalue() == ""
    return out.getvalue(), json.loads(file.read_text())


@pytest.fixture
def nothing_measured(monkeypatch):
    """A run that gets as far as measuring fails."""
    monkeypatch.setattr(bench, "_measured", lambda *arguments: pytest.fail("it measures"))


def cells(printed, first):
    """The rows of the table whose header begins with that word, as dictionaries of what they show."""
    lines = iter(printed.splitlines())
    header = next(
        re.split(r"  +", line) for line in lines if re.match(rf"{first} .*(ms|ratio|seconds)", line)
    )
    rows = takewhile(lambda line: line and not line.startswith("Note: "), lines)
    return [dict(zip(header, line.split(), strict=True)) for line in rows]


def number(cell):
    return float(cell.replace(",", "").replace("%", "e-2"))


def shows(cell, value):
    """Return whether a cell shows that value, to its last digit."""
    digits = len(re.sub(r"e.*|%", "", cell).partition(".")[2])
    exponent = int(cell.partition("e")[2] or 0) - (2 if "%" in cell else 0)
    return number(cell) == pytest.approx(value, abs=0.5001 * 10.0 ** (exponent - digits), rel=0)


# ------------------------------------------------------------------------------------------- what it measures


def test_the_quantities_and_sizes_that_are_measured(measured):
    _, document = measured
    numpy_and_strict = ["numpy", "strict"]
    assert [(row["network"], row["backend"], row["method"]) for row in document["gradients"]] == [
        ("6-4-3", name, method) for name in numpy_and_strict for method in ("central", "complex")
    ]
    assert [(row["hidden"], row["batch"], row["backend"]) for row in document["steps"]] == [
        (hidden, batch, name) for hidden in (5, 50) for batch in (10, 100) for name in numpy_and_strict
    ]
    assert [row["backend"] for row in document["training"]] == numpy_and_strict


def test_without_quick_the_sizes_are_those_of_the_chapter_and_far_beyond():
    assert (784, 50, 10) in FULL.networks
    assert (FULL.hidden, FULL.batches) == ((50, 512, 4096), (100, 1000, 8192))
    assert (FULL.samples, FULL.square, FULL.iterations) == (60_000, 2048, 1000)


def test_seconds_are_medians_of_the_rounds(measured):
    _, document = measured
    for row in document["training"]:
        assert len(row["rounds"]) == QUICK.rounds and min(row["rounds"]) > 0
        assert row["seconds"] == median(row["rounds"])
    for row in document["steps"]:
        assert len(row["rounds"]["step"]) == len(row["rounds"]["product"]) == QUICK.rounds
        assert row["seconds"] == median(row["rounds"]["step"]) > 0
        assert row["product_seconds"] == median(row["rounds"]["product"]) > 0
    for row in document["gradients"]:
        assert row["backprop_seconds"] == median(row["rounds"]["backprop"])
        assert row["numerical_seconds"] == median(row["rounds"]["numerical"])


def test_ratios_are_quotients_of_the_medians(measured):
    _, document = measured
    for row in document["gradients"]:
        assert row["ratio"] == row["numerical_seconds"] / row["backprop_seconds"]
        (reference,) = [
            other
            for other in document["gradients"]
            if other["backend"] == "numpy" and other["method"] == row["method"]
        ]
        for what in ("numerical", "backprop"):
            quotient = row[f"{what}_seconds"] / reference[f"{what}_seconds"]
            assert row[f"{what}_of_reference"] == quotient
    for group, size in (("steps", ("hidden", "batch")), ("training", ())):
        for row in document[group]:
            (reference,) = [
                other
                for other in document[group]
                if other["backend"] == "numpy" and all(other[name] == row[name] for name in size)
            ]
            assert row["of_reference"] == row["seconds"] / reference["seconds"]


def test_rates_are_those_of_the_products(measured):
    _, document = measured
    square = document["settings"]["square"]
    for row in document["steps"]:
        batch, hidden = row["batch"], row["hidden"]
        products = [  # rows, columns, and what is summed over
            (batch, hidden, 784),  # x W1
            (batch, 10, hidden),  # h W2
            (hidden, 10, batch),  # dW2
            (batch, hidden, 10),  # dh
            (784, hidden, batch),  # dW1; dx is not needed
        ]
        flop = sum(2 * n * m * k for n, m, k in products)
        assert row["gflops"] == pytest.approx(flop / row["seconds"] / 1e9)
        assert row["peak_gflops"] == pytest.approx(2 * square**3 / row["product_seconds"] / 1e9)
        assert row["of_peak"] == pytest.approx(row["gflops"] / row["peak_gflops"])


def test_the_whole_job_is_a_training_that_anyone_can_repeat(measured):
    _, document = measured
    (train_set, test_set), row = backprop.load_mnist_sample(), document["training"][0]
    history = backprop.train(
        backprop.TwoLayerNet(784, row["hidden"], 10, rng=3, backend="numpy"),
        *train_set,
        *test_set,
        iterations=row["iterations"],
        batch_size=row["batch"],
        learning_rate=row["learning_rate"],
        rng=3,
    )
    assert row["test_accuracy"] == history.test_accuracy[-1]
    assert row["evaluations"] == len(history.test_accuracy)
    assert row["samples"] == {"train": len(train_set[0]), "test": len(test_set[0])}


def test_a_numerical_gradient_that_takes_long_is_called_once(monkeypatch):
    calls, numerical = [], backprop.TwoLayerNet.numerical_gradient

    def counted(*arguments, **options):
        calls.append(options["method"])
        return numerical(*arguments, **options)

    monkeypatch.setattr(backprop.TwoLayerNet, "numerical_gradient", counted)
    monkeypatch.setattr(gradients, "SLOW", 0.0)
    rows = gradients.gradients(QUICK, (4, 3, 2), [load("numpy")], 0)
    assert calls == ["central", "complex"]
    assert [len(row["rounds"]["numerical"]) for row in rows] == [1, 1]
    assert all(len(row["rounds"]["backprop"]) == QUICK.rounds for row in rows)


def test_a_large_step_takes_three_rounds(monkeypatch):
    monkeypatch.setattr(training, "LARGE", 200)
    plan, backends = Plan(samples=50, square=16, rounds=4, block=1e-4), [load("numpy")]
    data = random_data(plan, backends, 0)
    counts = [
        len(row["rounds"]["step"]) for batch in (19, 20) for row in steps(plan, 10, batch, backends, 0, data)
    ]
    assert counts == [4, 3]


def test_steps_take_one_blas_thread_and_huge_ones_all(monkeypatch):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    monkeypatch.setattr(threads, "HUGE", 200 * 784)
    plan, backends = Plan(samples=50, square=16, rounds=1, block=1e-4), [load("numpy")]
    with threadpoolctl.threadpool_limits(2, "blas"):
        if blas.threads_in_force() != 2:
            pytest.skip("this BLAS has one thread")
        data = random_data(plan, backends, 0)
        for batch, expected in ((19, 1), (20, 2)):
            (row,) = steps(plan, 10, batch, backends, 0, data)
            assert row["blas_threads"] == expected
        assert blas.threads_in_force() == 2


# --------------------------------------------------------------------------------------------- what it says


def test_the_tables_show_what_the_json_holds(measured):
    printed, document = measured
    for row, shown in zip(document["gradients"], cells(printed, "network"), strict=True):
        assert (shown["network"], shown["backend"], shown["method"]) == (
            row["network"],
            row["backend"],
            row["method"],
        )
        assert shows(shown["backprop"], 1e3 * row["backprop_seconds"])
        assert shows(shown["numerical"], 1e3 * row["numerical_seconds"])
        assert shows(shown["ratio"], row["ratio"])
        assert shows(shown["max |diff|"], row["largest_difference"])
        assert shows(shown["x numpy"], row["numerical_of_reference"])
    for row, shown in zip(document["steps"], cells(printed, "hidden"), strict=True):
        for name in ("hidden", "batch", "backend"):
            assert shown[name] == str(row[name])
        assert shown["threads"] == str(row["blas_threads"] or "?")
        assert shows(shown["ms"], 1e3 * row["seconds"])
        assert shows(shown["GFLOP/s"], row["gflops"])
        assert shows(shown["peak"], row["peak_gflops"])
        assert shows(shown["of peak"], row["of_peak"])
        assert shows(shown["x numpy"], row["of_reference"])
    for row, shown in zip(document["training"], cells(printed, "backend"), strict=True):
        assert shown["backend"] == row["backend"]
        assert shows(shown["seconds"], row["seconds"])
        assert shows(shown["iterations/s"], row["iterations"] / row["seconds"])
        assert shows(shown["test accuracy"], row["test_accuracy"])
        assert shows(shown["x numpy"], row["of_reference"])


def test_the_json_holds_settings_versions_and_devices(measured):
    printed, document = measured
    plan = json.loads(json.dumps(asdict(PLAN)))
    assert document["settings"] == {
        "backend": None,
        "precision": "ieee",
        "seed": 3,
        "quick": True,
        **plan,
    }
    assert document["precisions"] == {"numpy": "ieee", "strict": "ieee"}
    assert (document["command"], document["backend"], document["device"]) == ("bench", "numpy", "cpu")
    assert document["backend_why"].startswith("numpy, strict (cupy: CuPy ")
    assert {"backprop", "python", "numpy", "strict"} <= set(document["versions"])
    assert document["blas"] == blas.describe_blas()
    assert list(document["devices"]) == ["numpy", "strict"]
    unwrapped = " ".join(printed.split())
    for line in document["devices"].values():
        assert " on cpu" in line and line in unwrapped
    assert f"backends: {document['backend_why']}" in unwrapped and "not for quoting" in unwrapped


def test_no_line_is_wider_than_a_terminal(measured):
    printed, _ = measured
    assert max(map(len, printed.splitlines())) <= 80


def test_a_backend_alone_is_compared_with_none(call, monkeypatch):
    monkeypatch.setattr(bench, "QUICK", TINY)
    ran = call(*QUICKLY)
    assert (ran.code, ran.err) == (0, "")
    assert [row["backend"] for row in cells(ran.out, "hidden")] == ["numpy"] * 4
    assert "x numpy" not in ran.out and "strict" not in ran.out
    assert "backends: --backend" in ran.out


def test_a_backend_that_auto_takes_is_told_as_an_option(call, monkeypatch, no_cupy):
    monkeypatch.setattr(bench, "_measured", lambda *_: {})
    ran = call("bench", "--quick", "--backend", "auto")
    assert (ran.code, ran.err) == (0, "")
    assert "backends: --backend auto takes numpy, since CuPy is not installed" in ran.out


@pytest.mark.parametrize(("of_peak", "noted"), [(1.0, False), (1.02, True)])
def test_a_step_above_the_peak_is_explained_below_the_table(measured, of_peak, noted):
    *rows, last = [row | {"of_peak": 0.5} for row in measured[1]["steps"]]
    table = report.steps_table([*rows, last | {"of_peak": of_peak}], 256)
    assert max(map(len, table.splitlines())) <= 80
    assert ("\nNote: a step above 100% of peak means that" in table) == noted
    assert " ".join(table.split()).endswith("Measure again on an idle machine.") == noted


def test_the_titles_fit_a_narrow_terminal(measured, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    title = report.steps_table(measured[1]["steps"], 256).partition("\nhidden ")[0]
    assert 40 < max(map(len, title.splitlines())) <= 50


def test_a_terminal_shows_a_bar_that_goes_away(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_on_terminal", lambda: True)
    assert list(progress.with_bar(["a", "b"], "steps")) == ["a", "b"]
    out, err = capsys.readouterr()
    *frames, blank, end = err.split("\r")
    assert out == end == "" and blank.strip() == ""
    assert any(re.match(r"steps .* 0/2 00:00$", frame) for frame in frames)


# ------------------------------------------------------------------------------------------ what it refuses


def test_a_wrong_gradient_ends_it_before_anything_is_timed(call, monkeypatch, tmp_path):
    right = backprop.TwoLayerNet.gradient

    def wrong(*arguments):
        gradient = right(*arguments)
        gradient["b2"][0] += 2e-7
        return gradient

    monkeypatch.setattr(backprop.TwoLayerNet, "gradient", wrong)
    monkeypatch.setattr(gradients, "in_turns", lambda *a, **o: pytest.fail("it times"))
    file = tmp_path / "bench.json"
    ran = call(*QUICKLY, "--json", file)
    assert ran.code == 1 and not file.exists()
    assert ran.error.startswith("backprop bench: 20-5-3 on numpy: backpropagation and the numerical gradient")
    assert "(method central) differ by 2.0e-07, at most 1e-07 allowed" in ran.error


def test_a_gradient_that_is_no_number_is_no_agreement(call, monkeypatch):
    right = backprop.TwoLayerNet.gradient

    def wrong(*arguments):
        gradient = right(*arguments)
        gradient["W2"][0, 0] = float("nan")
        return gradient

    monkeypatch.setattr(backprop.TwoLayerNet, "gradient", wrong)
    ran = call(*QUICKLY)
    assert ran.code == 1 and "differ by nan" in ran.error


@pytest.mark.parametrize(("factor", "words"), [(1.001, "on strict"), (float("nan"), "nan on strict")])
def test_backends_that_learn_differently_are_not_timed(two_backends, monkeypatch, factor, words):
    class OneIsWrong(training.Trainer):
        def start(self, batches):
            losses, scale = super().start(batches), factor if self.backend.name == "strict" else 1.0
            return lambda: [scale * loss for loss in losses()]

    monkeypatch.setattr(training, "Trainer", OneIsWrong)
    monkeypatch.setattr(training, "in_turns", lambda *a, **o: pytest.fail("it times"))
    with pytest.raises(Disagreement, match=f"784-5-10 at batch 10: the first loss is .*{words}"):
        steps(QUICK, 5, 10, two_backends, 0, random_data(QUICK, two_backends, 0))


def test_a_loss_that_is_no_number_is_not_timed(monkeypatch):
    backends = [load("numpy")]
    monkeypatch.setattr(training.Trainer, "start", lambda self, batches: lambda: [float("inf")])
    with pytest.raises(Disagreement, match="784-5-10 at batch 10 on numpy: .* must be .*finite.*inf"):
        steps(QUICK, 5, 10, backends, 0, random_data(QUICK, backends, 0))


WRONG = {  # arguments that are wrong, and what must be said of them
    "no such option": (["--size", "3"], "--size"),
    "an argument too many": (["now"], "now"),
    "no such backend": (["--backend", "torch"], "numpy, cupy, auto"),
    "negative seed": (["--seed", "-1"], "--seed"),
    "no picture": (["--plot", "chart.txt"], ".pdf, .png, .svg"),
    "no suffix": (["--plot", "png"], ".pdf, .png, .svg"),
    "no such folder for the chart": (["--plot", "no/such/chart.png"], "No such file or directory"),
    "no such folder for the JSON": (["--json", "no/such/bench.json"], "No such file or directory"),
    "one file for both": (["--plot", "it.png", "--json", "it.png"], "different files"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_refused_before_measuring(call, nothing_measured, monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    arguments, words = WRONG[name]
    ran = call("bench", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.error.startswith("backprop bench: ") and words in ran.error
    assert ran.error.endswith("(see backprop bench --help)") != ("No such file" in ran.error)
    assert list(tmp_path.iterdir()) == []


def test_missing_matplotlib_is_told_of_before_measuring(call, nothing_measured, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    ran = call(*QUICKLY, "--plot", tmp_path / "chart.png")
    assert (ran.code, ran.out) == (3, "")
    assert ran.error.startswith("backprop bench: --plot: needs matplotlib (")
    assert ran.error.endswith("): pip install matplotlib")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_backend_is_told_of_before_measuring(call, nothing_measured, no_cupy):
    ran = call("bench", "--backend", "cupy")
    assert (ran.code, ran.out) == (3, "")
    assert ran.error.startswith(
        'backprop bench: backend "cupy" cannot be used: CuPy is not installed; pip install '
    )


def test_the_help_fits_a_terminal(call):
    ran = call("bench", "--help")
    assert (ran.code, ran.err) == (0, "") and max(map(len, ran.lines)) <= 80
    assert all(option in ran.out for option in ("--backend", "--quick", "--seed", "--plot", "--json"))


# -------------------------------------------------------------------------------------------------- the chart


@pytest.fixture(scope="module")
def figures():
    """Every figure that is written; imported before a test's home directory hides matplotlib's fonts."""
    figure = pytest.importorskip("matplotlib.figure")
    pytest.importorskip("matplotlib.font_manager")
    written, savefig = [], figure.Figure.savefig

    def save(self, *arguments, **options):
        written.append(self)
        return savefig(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure.Figure, "savefig", save)
        yield written


def test_the_chart_is_written_beside_the_json(figures, call, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "QUICK", TINY)
    chart, file = tmp_path / "chart.png", tmp_path / "bench.json"
    ran = call(*QUICKLY, "--plot", chart, "--json", file)
    assert (ran.code, ran.err) == (0, "")
    head = chart.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(head[16:20]) >= 1000, "wide enough to read"
    (device,) = json.loads(file.read_text())["devices"].values()
    assert device in figures[-1].get_suptitle()


@pytest.mark.parametrize("names", [["numpy"], ["numpy", "strict"]])
def test_the_chart_shows_the_milliseconds_of_every_step(figures, measured, tmp_path, names):
    rows = [row for row in measured[1]["steps"] if row["backend"] in names]
    draw(rows, ["a title"], tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").read_text().startswith("<?xml")
    panels = figures[-1].axes
    assert [panel.get_title() for panel in panels] == ["batch of 10", "batch of 100"]
    assert panels[0].get_ylabel() == "time per step (ms)" and figures[-1].get_supxlabel() == "hidden units"
    for panel, batch in zip(panels, (10, 100), strict=True):
        lines = {line.get_label(): line for line in panel.get_lines()}
        assert list(lines) == (names if len(names) > 1 else ["numpy", "at the GEMM peak"])
        for name in names:
            mine = [row for row in rows if (row["batch"], row["backend"]) == (batch, name)]
            assert list(lines[name].get_xdata()) == [row["hidden"] for row in mine] == [5, 50]
            assert list(lines[name].get_ydata()) == [1e3 * row["seconds"] for row in mine]
        if len(names) == 1:
            at_peak = [1e3 * row["seconds"] * row["gflops"] / row["peak_gflops"] for row in mine]
            assert list(lines["at the GEMM peak"].get_ydata()) == pytest.approx(at_peak)
