"""The pictures of chapter 6 are drawn, and the tables bear out what the docstrings say.

Training takes seconds, so all but the cheap checks are slow.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backprop.optimizers import AdaGrad, Adam

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PICTURES = (
    *("compare_optimizers", "activations_and_weights", "batch_normalization"),
    *("overfitting", "search_hyperparameters", "fastest_97"),
)
STAND_IN = """
import runpy, sys
import array_api_strict
import backends
backends.register(backends.Backend("cupy", array_api_strict))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def start(folder, *arguments, **variables):
    """Run Python in a folder, with warnings as errors and without the settings of this process."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BACKPROP_", "PYTEST_"))}
    env |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"}
    env |= {"SOURCE_DATE_EPOCH": "0", **variables}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, env=env, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=120
    )


def table(folder, name, most=60_000, **variables):
    """Run an example and return the rows that it prints, and its picture of at most so many characters."""
    pytest.importorskip("matplotlib")
    done = start(folder, EXAMPLES / f"{name}.py", "-o", f"{name}.svg", **variables)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout.endswith(f"written: {name}.svg\n")
    picture = (folder / f"{name}.svg").read_text(encoding="utf-8")
    assert 10_000 < len(picture) < most and picture.rstrip().endswith("</svg>")
    return [line.split() for line in done.stdout.splitlines()], picture


@pytest.mark.parametrize("name", PICTURES)
def test_without_matplotlib_one_line_says_what_to_install(tmp_path, name):
    code = f"import runpy, sys; sys.modules['matplotlib'] = None; sys.argv = ['{name}.py']"
    done = start(tmp_path, "-c", f"{code}; runpy.run_path({str(EXAMPLES / name)!r} + '.py')")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f'{name}.py: needs matplotlib: pip install "matplotlib>=3.8"\n'
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("optimizer", [AdaGrad(1.5), Adam(0.3)])
def test_the_first_step_is_as_long_in_x_as_in_y(optimizer):
    point = {"x": np.array([-7.0]), "y": np.array([2.0])}
    optimizer.update(point, {"x": point["x"] / 10, "y": 2 * point["y"]})
    assert point["x"] + 7.0 == pytest.approx(2.0 - point["y"])


@pytest.mark.slow
def test_compare_optimizers(tmp_path):
    rows, picture = table(tmp_path, "compare_optimizers")
    between = rows.index([])
    valley = {row[0]: tuple(map(float, row[1:])) for row in rows[1:between]}
    digits = {row[0]: tuple(map(float, row[1:])) for row in rows[between + 2 : -1]}
    assert list(valley) == ["SGD(0.95)", "Momentum(0.1)", "AdaGrad(1.5)", "Adam(0.3)"]
    assert valley["SGD(0.95)"][0] == pytest.approx(-7 * 0.905**30, abs=1e-3)
    assert valley["SGD(0.95)"][1] == pytest.approx(2 * 0.9**30, abs=1e-3)
    assert valley["Momentum(0.1)"][0] > 0.5, "it overshoots"
    assert all(f < 0.15 for *_, f in valley.values()), "from 6.45"
    assert len(digits) == 7
    (_, slowest, _), *others = digits.values()
    assert all(loss < 0.8 * slowest for _, loss, _ in others)
    assert all(accuracy > 0.88 for *_, accuracy in digits.values())
    assert set(digits) <= set(picture.replace("<", ">").split(">")), "the curves have names"


@pytest.mark.slow
def test_activations_and_weights(tmp_path):
    rows, _ = table(tmp_path, "activations_and_weights")
    found = {tuple(row[:2]): (float(row[2]), float(row[3]), row[4]) for row in rows[1:-1]}
    assert len(found) == 12
    for activation in ("Sigmoid", "Tanh", "ReLU"):
        first, fifth, accuracy = found[activation, "0.01"]
        assert fifth < 1e-4 < 0.01 < first and float(accuracy) < 0.2
    assert (
        found["Tanh", "1"][1] > 0.9 and found["ReLU", "1"][1] > 1000 and found["ReLU", "1"][2] == "diverges"
    )
    for activation in ("Tanh", "ReLU"):
        assert all(float(found[activation, rule][2]) > 0.85 for rule in ("xavier", "he"))
    shrinks = {rule: found["ReLU", rule][1] / found["ReLU", rule][0] for rule in ("xavier", "he")}
    assert shrinks["xavier"] < 0.2 and shrinks["he"] > 0.5
    assert all(float(found["Sigmoid", rule][2]) < 0.6 for rule in ("1", "0.01", "xavier", "he"))


@pytest.mark.slow
def test_batch_normalization(tmp_path):
    rows, picture = table(tmp_path, "batch_normalization")
    learned = {}
    for scale, which, *numbers in rows[1:-1]:
        learned[scale, which.rstrip(":")] = None if numbers[0] == "diverges" else tuple(map(float, numbers))
    assert len(learned) == 12
    for scale in ("1", "0.3", "0.1", "0.03", "0.01", "0.001"):
        assert learned[scale, "with"][1] > 0.75
        plain = learned[scale, "without"]
        if scale == "0.1":
            assert plain[1] > 0.6 and learned[scale, "with"][0] > plain[0] + 0.2
        else:
            assert plain is None or plain[1] < 0.2
    assert table(tmp_path, "batch_normalization")[1] == picture, "the same bytes in every run"


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_arrays_may_be_on_a_device(tmp_path, name):
    pytest.importorskip("array_api_strict")
    pytest.importorskip("matplotlib")
    done = start(tmp_path, "-c", STAND_IN, EXAMPLES / f"{name}.py", BACKPROP_BACKEND="cupy")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000


@pytest.mark.slow
def test_overfitting(tmp_path):
    rows, picture = table(tmp_path, "overfitting")
    found = {" ".join(row[:-3]): [float(cell.rstrip("%")) for cell in row[-3:]] for row in rows[1:-1]}
    assert list(found) == ["no remedy", "weight decay", "Dropout", "both", "4,000 images"]
    train, test, loss = found["no remedy"]
    assert train > 99.5 and test < 85, "it knows by heart what it was shown, and little else"
    for remedy in ("weight decay", "both"):
        assert found[remedy][2] < 0.8 * loss
    assert all(found[remedy][1] > test for remedy in ("weight decay", "Dropout", "both"))
    assert found["4,000 images"][1] > 5 + max(found[name][1] for name in list(found)[:-1])
    assert table(tmp_path, "overfitting")[1] == picture, "the same bytes in every run"


@pytest.mark.slow
def test_search_hyperparameters(tmp_path):
    rows, _ = table(tmp_path, "search_hyperparameters", 100_000)
    best = [[float(cell.rstrip("%")) for cell in row] for row in rows[1:6]]
    accuracies, rates, decays = zip(*best, strict=True)
    assert sorted(accuracies, reverse=True) == list(accuracies) and accuracies[-1] > 80
    assert max(rates) < 6 * min(rates) and max(decays) > 100 * min(decays), "the rate matters more"
    (suggestion,) = (float(row[-1]) for row in rows if row[:2] == ["range", "test:"])
    assert 0.03 < suggestion < 0.3
    (final,) = (float(row[-1].rstrip("%")) for row in rows if row[:3] == ["the", "best", "settings,"])
    assert final > 90


@pytest.mark.slow
def test_fastest_97(tmp_path):
    rows, _ = table(tmp_path, "fastest_97")
    ladder = [float(row[-2].rstrip("%")) for row in rows[1:-1]]
    book, rate, cycle, nesterov, standardized, he, constant = ladder
    assert book + 5 < rate < cycle < nesterov < standardized
    assert abs(he - standardized) < 0.5 and constant < standardized
