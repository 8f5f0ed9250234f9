"""Each example in its own process, as a user runs it: elsewhere, with no network and a closed stdin."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backends.testing import backend_or_skip

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NO_NETWORK = """
import socket
def refuse(*arguments, **options):
    raise OSError("there is no network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""
NO_CUPY = "raise ModuleNotFoundError(\"No module named 'cupy'\", name='cupy')"
# Another library under the name of CuPy, so that examples do what they do where there is a GPU.
STAND_IN = """
import runpy, sys
import array_api_strict
import backends
backends.register(backends.Backend("cupy", array_api_strict))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def run(tmp_path):
    """A function that runs Python with these arguments and returns the lines that it prints.

    The library is found by PYTHONPATH only, CuPy is missing unless it is asked for, the cache is empty, and
    warnings are errors.
    """
    modules, folder = tmp_path / "modules", tmp_path / "elsewhere"
    modules.mkdir()
    folder.mkdir()
    (modules / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")

    def run_python(*arguments, cupy=False, **variables):
        if not cupy:
            (modules / "cupy.py").write_text(NO_CUPY, encoding="utf-8")
        env = {
            name: value for name, value in os.environ.items() if not name.startswith(("BACKPROP_", "PYTEST_"))
        }
        env |= {"PYTHONPATH": f"{modules}{os.pathsep}{ROOT}", "XDG_CACHE_HOME": str(tmp_path / "cache")}
        env |= {"PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8", **variables}
        command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, *map(str, arguments)]
        done = subprocess.run(
            command, env=env, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=120
        )
        assert done.returncode == 0, done.stderr + done.stdout
        assert done.stderr == ""
        return done.stdout.splitlines()

    return run_python


def number(pattern, text):
    (found,) = re.findall(pattern, text)
    return float(found)


@pytest.fixture
def folder(run, tmp_path):
    """The working directory of the examples."""
    return tmp_path / "elsewhere"


def test_mnist(run, folder):
    *progress, final, loaded, predicted, labels = run(EXAMPLES / "mnist.py", "--epochs", "15")
    assert [number(r"^iteration +(\d+) ", line) for line in progress] == [40 * i for i in range(1, 16)]
    accuracy = number(r"^test accuracy (0\.\d{4})$", final)
    assert accuracy > 0.9 and progress[-1].endswith(f"test {accuracy:.4f}")
    assert loaded == f"loaded from weights.npz: test accuracy {accuracy:.4f}"
    pairs = list(zip(predicted.split()[1:], labels.split()[1:], strict=True))
    assert len(pairs) == 10 and sum(a == b for a, b in pairs) >= 8
    with np.load(folder / "weights.npz") as saved:
        assert {name: saved[name].shape for name in saved} == {
            "W1": (784, 50), "b1": (50,), "W2": (50, 10), "b2": (10,),
        }  # fmt: skip


def test_mnist_without_a_network_ends_in_one_line(run):
    with pytest.raises(AssertionError) as failed:
        run(EXAMPLES / "mnist.py", "--mnist")
    line = str(failed.value).partition("\nassert")[0].strip()
    assert "\n" not in line and "Traceback" not in line
    assert line.endswith("; or omit --mnist to train on the digits that come with the library"), line
    assert "MNIST could not be downloaded" in line and "load_mnist_sample" not in line


@pytest.mark.slow
@pytest.mark.skipif(
    not os.path.isdir(os.environ.get("BACKPROP_DATA_DIR", "")),
    reason="BACKPROP_DATA_DIR does not name a directory with MNIST",
)
def test_mnist_on_all_of_it(run):
    data = os.environ["BACKPROP_DATA_DIR"]
    lines = run(EXAMPLES / "mnist.py", "--mnist", "--epochs", "1", BACKPROP_DATA_DIR=data)
    assert number(r"^iteration +600  loss 0\.\d+  test (0\.\d+)$", lines[0]) > 0.9


def test_convolution(run):
    lines = run(EXAMPLES / "convolution.py", "--epochs", "2")
    assert lines[0].split()[:3] == ["layer", "output", "parameters"] and "433,890" in lines[8]
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert [line.split()[1] for line in epochs] == ["1", "2"]
    assert number(r"test (0\.\d{4})$", epochs[-1]) > 0.85
    assert len(lines[-5:]) == 5 and all(len(line.split()) == 5 for line in lines[-5:])


def test_own_layer(run):
    *report, trained = run(EXAMPLES / "own_layer.py", "--epochs", "10")
    assert report[0].startswith("Swish: backward against the complex step")
    assert [line.split()[0] for line in report if line.endswith(" ok")] == ["beta", "x"]
    assert report[-1] == "all gradients agree"
    assert number(r"^test accuracy (0\.\d{4});", trained) > 0.85
    assert number(r" to (\d\.\d\d)$", trained) > 1.02  # beta starts at 1


def test_check_your_backward(run):
    lines = run(EXAMPLES / "check_your_backward.py")
    between = lines.index("")
    wrong, right = lines[:between], lines[between + 1 :]
    assert wrong[0].startswith("Softmax: ") and wrong[2].endswith(" WRONG")
    assert "backward uses only the diagonal of the softmax's Jacobian" in " ".join(
        line.strip() for line in wrong
    )
    assert right[0].startswith("MendedSoftmax: ") and right[-1] == "all gradients agree"


def test_gpu_says_why_it_falls_back(run):
    lines = run(EXAMPLES / "gpu.py", "--iterations", "200")
    assert lines[0] == "Training on the CPU by NumPy only:"
    assert "CuPy is not installed" in " ".join(lines[1:-1])
    assert any('"cupy-cuda12x[ctk]"' in line for line in lines), "a package's name is not broken"
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith("numpy on cpu: ")
    assert number(r"test accuracy (0\.\d{4})$", lines[-1]) > 0.5


def two_backends(lines):
    """Assert what the example prints where it trains on both, the accuracies included."""
    assert lines[0] == "Training on the GPU by CuPy, then on the CPU by NumPy."
    assert lines[1].startswith("cupy on ") and lines[2].startswith("numpy on cpu: ")
    on_gpu, on_cpu = (number(r"test accuracy (0\.\d{4})$", line) for line in lines[1:3])
    assert abs(on_gpu - on_cpu) <= 0.01
    assert re.fullmatch(r"One step takes the CPU \d+\.\d times as long as the GPU\.", lines[3])
    assert lines[4].startswith("Steps on the GPU: ") and len(lines) == 5


def test_gpu_trains_on_both(run):
    pytest.importorskip("array_api_strict")
    two_backends(run("-c", STAND_IN, EXAMPLES / "gpu.py", "--iterations", "100"))


@pytest.mark.parametrize("name", ["mnist.py", "own_layer.py"])
def test_arrays_may_be_on_a_device(run, name):
    pytest.importorskip("array_api_strict")
    lines = run("-c", STAND_IN, EXAMPLES / name, "--epochs", "1", BACKPROP_BACKEND="cupy")
    assert any("test accuracy 0." in line for line in lines)


@pytest.mark.gpu
def test_gpu_on_a_gpu(run):
    backend_or_skip("cupy")
    two_backends(run(EXAMPLES / "gpu.py", "--iterations", "1000", cupy=True))


BENCHMARKS_ONCE = ("-m", "pytest", "-q", "-x", "--benchmark-disable", "-p", "no:cacheprovider")


def test_compare_backends(run):
    pytest.importorskip("pytest_benchmark")
    said = ast.get_docstring(ast.parse((EXAMPLES / "compare_backends.py").read_text(encoding="utf-8")))
    (command,) = re.findall(r"^ +pytest compare_backends.py (.*)$", said, re.MULTILINE)
    brief = "-q", "-x", "-p", "no:cacheprovider", "--benchmark-min-rounds=1", "--benchmark-max-time=0.001"
    lines = run("-m", "pytest", *brief, *command.split(), EXAMPLES / "compare_backends.py", COLUMNS="80")
    assert "3 passed" in lines[-1]
    table = [line for line in lines if line.startswith("test_")]
    assert len(table) == 3 and max(map(len, table)) <= 80, "it fits a terminal"


@pytest.mark.slow
def test_compare_backends_refuses_gradients_that_disagree(run, folder):
    pytest.importorskip("pytest_benchmark")
    text = (EXAMPLES / "compare_backends.py").read_text(encoding="utf-8")
    planted = text.replace("numerical = net.gradient(x, t),", "numerical = net.params,")
    assert planted != text
    (folder / "compare_backends.py").write_text(planted, encoding="utf-8")
    with pytest.raises(AssertionError, match="1 failed, 1 passed"):
        run(*BENCHMARKS_ONCE, "compare_backends.py")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short_and_says_how_to_run_it(path):
    text = path.read_text(encoding="utf-8")
    assert 20 <= len(text.splitlines()) <= 90
    command = "pytest" if path.name == "compare_backends.py" else "python"
    assert f"    {command} {path.name}" in ast.get_docstring(ast.parse(text), clean=False)
